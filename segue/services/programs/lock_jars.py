"""`python -m segue.services.programs.lock_jars` resolves the broker's jars anew and prints `kafka/jars.sha256`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from segue.services.programs.kafka_jars import hashes, resolve


def main() -> None:
    """Prints one line a jar."""
    with tempfile.TemporaryDirectory(prefix="segue-jars-") as folder:
        resolve(Path(folder))
        sys.stdout.write("".join(f"{line}\n" for line in hashes(Path(folder))))


if __name__ == "__main__":
    main()
