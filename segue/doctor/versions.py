"""The installed versions."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from segue.doctor.check import OK, Check

_PACKAGES = ("segue-live", "faust-streaming", "aiokafka", "confluent-kafka", "redis")


def versions() -> list[Check]:
    """Return one line with the versions of Python and of the main packages."""
    found = [f"Python {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} unknown")
    return [Check("versions", OK, ", ".join(found))]
