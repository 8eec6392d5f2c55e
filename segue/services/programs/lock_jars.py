"""`python -m segue.services.programs.lock_jars`: print `kafka/jars.sha256` for the jars of `pom.xml`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from segue.services.programs.kafka_jars import hashes, resolve


def main() -> None:
    """Print one line for each jar."""
    with tempfile.TemporaryDirectory(prefix="segue-jars-") as folder:
        resolve(Path(folder))
        sys.stdout.write("".join(f"{line}\n" for line in hashes(Path(folder))))


if __name__ == "__main__":
    main()
