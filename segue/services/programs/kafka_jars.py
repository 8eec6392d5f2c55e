"""Download the broker's jars once with Maven, check them against `kafka/jars.sha256`, and cache them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from segue.services.process.service_trouble import ServiceTrouble
from segue.services.programs.cache import cached_folder, is_cached

_HERE = Path(__file__).parents[1] / "kafka"
_POM = _HERE / "pom.xml"
_HASHES = _HERE / "jars.sha256"
_OLDEST_JAVA = 17
_MAVEN_DEADLINE_S = 600


@cache
def kafka_version() -> str:
    """Return the Kafka version in `pom.xml`.

    >>> kafka_version().split(".")[0]
    '4'
    """
    found = re.search(r"<kafka.version>(.+)</kafka.version>", _POM.read_text())
    assert found
    return found[1]


@cache
def find_java() -> str:
    """Return the path of `java`, if it is new enough for this Kafka.

    Raises:
        ServiceTrouble: Java is missing or too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None) or shutil.which("java")
    if java is None:
        raise ServiceTrouble("Java is not installed.", ("default-jre-headless",))
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        raise ServiceTrouble(
            f"Kafka needs Java {_OLDEST_JAVA} or newer; {java} says: {said.strip()}.",
            ("default-jre-headless",),
        )
    return java


def check_programs() -> None:
    """Check that Java is installed, and also Maven if the jars are not in the cache.

    Raises:
        ServiceTrouble: a program is missing; the message names all missing programs.
    """
    troubles: list[ServiceTrouble] = []
    for find in (find_java,) if jars_cached() else (find_java, _find_maven):
        try:
            find()
        except ServiceTrouble as trouble:
            troubles.append(trouble)
    if troubles:
        names = tuple(name for trouble in troubles for name in trouble.install)
        raise ServiceTrouble(" ".join(str(trouble) for trouble in troubles), names)


def kafka_jars(say: Callable[[str], None] = lambda _: None) -> Path:
    """Return the folder with the jars; the first call on a machine downloads them in some seconds.

    Raises:
        ServiceTrouble: Maven is missing or fails, or the jars are not the pinned ones.
    """

    def fill(folder: Path) -> None:
        _find_maven()
        say(f"Fetching Apache Kafka {kafka_version()} with Maven, once…")
        resolve(folder)
        _check(folder)

    return cached_folder(_folder_name(), fill)


def jars_cached() -> bool:
    """Whether the cache has the jars, so that neither Maven nor the network is needed."""
    return is_cached(_folder_name())


def _folder_name() -> str:
    return f"kafka-{kafka_version()}-{_sha256(_HASHES)[:8]}"  # other hashes, another folder


def _find_maven() -> str:
    maven = shutil.which("mvn")
    if maven is None:
        raise ServiceTrouble("Maven is not installed.", ("maven",))
    return maven


def resolve(folder: Path) -> None:
    """Copy the jars of `pom.xml` into the folder, with Maven."""
    maven = _find_maven()
    # Use a copy: Maven may write beside the pom, but that is a folder of installed packages.
    with tempfile.TemporaryDirectory(prefix="segue-maven-") as work:
        pom = shutil.copy(_POM, work)
        command = [maven, "--batch-mode", "--quiet", "--strict-checksums", f"--file={pom}"]
        command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_MAVEN_DEADLINE_S,
            )
        except subprocess.TimeoutExpired as error:
            raise ServiceTrouble(f"Maven did not end within {_MAVEN_DEADLINE_S} s.") from error
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise ServiceTrouble("Maven could not fetch Kafka's jars: " + "\n    ".join(lines[:5]))


def _check(folder: Path) -> None:
    expected = _HASHES.read_text().splitlines()
    wrong = sorted({line.split()[1] for line in set(hashes(folder)).symmetric_difference(expected)})
    if wrong:
        raise ServiceTrouble(f"Kafka's jars are not the pinned ones: {', '.join(wrong)}.")


def hashes(folder: Path) -> list[str]:
    """Return the lines of `jars.sha256` for these jars, sorted by name."""
    return [f"{_sha256(jar)}  {jar.name}" for jar in sorted(folder.glob("*.jar"))]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
