"""The command `segue`.

The parts:

    main.py      runs a command, and turns every error into one sentence and an exit code
    command.py   declares a command with the settings that it uses as options
    terminal.py  what people see: sentences, progress and tables

and one file a command: its options here, what it does in a module of `segue` of its own.
"""

import sys

from segue.interruption import run_guarded


def main() -> None:
    """The console script: runs, and exits."""
    run_guarded(_run)


def _run() -> int:
    from segue.cli.main import run  # noqa: PLC0415 - it takes half a second; ctrl-C is answered in it

    return run(sys.argv[1:])
