"""Missing system packages: which, and installing them where that is allowed. `setup-system.sh` does both."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

SCRIPT = Path(__file__).parent / "setup-system.sh"
FOR_KAFKA = ("default-jre-headless", "maven")
FOR_KAFKA_CACHED = ("default-jre-headless",)
"""When its jars have been fetched before."""
FOR_REDIS = ("redis-server",)


def missing_packages(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the packages (by Debian's names) whose programs are not there."""
    done = subprocess.run(
        ["sh", str(SCRIPT), "--check", *packages], capture_output=True, text=True, check=True
    )
    return tuple(done.stdout.split())


def install_packages(packages: tuple[str, ...], say: Callable[[str], None]) -> bool:
    """Installs what is missing of them, if this is Debian and we are root; returns whether all are there.

    What it will install it says on standard error before it does so.
    """
    if not missing_packages(packages):
        return True
    done = subprocess.run(["sh", str(SCRIPT), *packages], stdin=subprocess.DEVNULL, check=False)
    if done.returncode == 0:
        return True
    if done.returncode != 3:  # 3: not allowed, and the script has said so
        say(f"Installing {' '.join(packages)} failed.")
    return False
