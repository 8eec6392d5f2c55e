"""A PostgreSQL for tests: a server on a socket in a temporary folder, and a database for each test.

The databases sort text by ICU's en-US, not by bytes: so the tests show that no query depends on the locale.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

_REQUIRE = "SEGUE_TEST_REQUIRE_SERVICES"
_INSTALL = "apt-get install postgresql"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server that listens only on a socket in ``folder``."""

    folder: Path
    _numbers: "count[int]" = field(default_factory=count)

    def url(self, database: str) -> str:
        return f"postgresql://segue@/{database}?host={self.folder}"

    def new_database(self, options: str = "") -> str:
        """Create an empty database and return its URL."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name} {options}".encode())
        return self.url(name)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server. Without PostgreSQL the test fails; SEGUE_TEST_REQUIRE_SERVICES=0 skips it instead."""
    binaries = _binaries()
    if binaries is None:
        text = f"no PostgreSQL (initdb, pg_ctl) to test with. Install: {_INSTALL}"
        if os.environ.get(_REQUIRE) == "0":
            pytest.skip(text)
        pytest.fail(text)
    with tempfile.TemporaryDirectory(prefix="segue-pg-") as folder, _server(binaries, Path(folder)) as server:
        yield server


@contextmanager
def _server(binaries: Path, folder: Path) -> Iterator[Postgres]:
    user = _user()
    shutil.chown(folder, user)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [binaries / program, "-D", data, *arguments],
            user=user if os.geteuid() == 0 else None,
            cwd=folder,
            stdout=subprocess.DEVNULL,  # the server would hold a pipe open
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            log = folder / "log"
            said = log.read_text() if log.exists() else (done.stderr or b"").decode()
            pytest.fail(f"{program} failed: {said}")

    run(
        "initdb",
        "--username=segue",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--locale-provider=icu",
        "--icu-locale=en-US",
        "--no-sync",
    )
    options = (
        f"-k {folder} -c listen_addresses='' -c fsync=off -c timezone=Europe/Madrid -c datestyle=SQL,DMY"
    )
    run("pg_ctl", "--wait", f"--log={folder / 'log'}", f"--options={options}", "start")
    try:
        yield Postgres(folder)
    finally:
        run("pg_ctl", "--wait", "--mode=immediate", "stop")


def _binaries() -> Path | None:
    """Return the folder of initdb and pg_ctl: from PATH, or else Debian's folder outside PATH."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return versions[-1].parent if versions else None


def _user() -> str:
    """Return the user that runs the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
