"""Prints the id of each change, as a program that subscribes: `printing_reader.py '{"kafka": …}'`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from segue.subscribe import changes


def main() -> None:
    """Print until ctrl-C. Each line is written at once: a kill loses none that was printed."""
    try:
        for change in changes(**json.loads(sys.argv[1])):
            os.write(1, f"{change.event_id}\n".encode())
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
