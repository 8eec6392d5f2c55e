"""What is installed here."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from segue.doctor.check import OK, Check

_PACKAGES = ("segue-live", "faust-streaming", "aiokafka", "confluent-kafka", "redis")


def versions() -> list[Check]:
    """One line of all versions that matter."""
    told = [f"Python {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            told.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            told.append(f"{name} unknown")
    return [Check("versions", OK, ", ".join(told))]
