"""Find and install missing system packages, with `setup-system.sh`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

SCRIPT = Path(__file__).parent / "setup-system.sh"
FOR_KAFKA = ("default-jre-headless", "maven")
FOR_KAFKA_CACHED = ("default-jre-headless",)
"""If Kafka's jars are in the cache."""
FOR_REDIS = ("redis-server",)


def missing_packages(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Return the packages (by their names in Debian) whose programs are missing."""
    done = subprocess.run(
        ["sh", str(SCRIPT), "--check", *packages], capture_output=True, text=True, check=True
    )
    return tuple(done.stdout.split())


def install_packages(packages: tuple[str, ...], say: Callable[[str], None]) -> bool:
    """Install the missing packages, as root on Debian; return whether all are installed now.

    It names the packages on standard error before the installation.
    """
    if not missing_packages(packages):
        return True
    done = subprocess.run(["sh", str(SCRIPT), *packages], stdin=subprocess.DEVNULL, check=False)
    if done.returncode == 0:
        return True
    if done.returncode != 3:  # 3: not allowed, and the script has said so
        say(f"Installing {' '.join(packages)} failed.")
    return False
