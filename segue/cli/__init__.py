"""The command `segue`.

    main.py      runs a command, and turns every error into one sentence and an exit code
    command.py   declares a command, and turns the settings that it uses into options

Each other file declares the options of one command. The command's work is in other folders of `segue`.
"""

import sys

from segue.interruption import run_guarded
from segue.standard_streams import open_missing_streams


def main() -> None:
    """Run the console script, and end the process."""
    open_missing_streams()
    run_guarded(_run)


def _run() -> int:
    from segue.cli.main import run  # noqa: PLC0415 - the import takes half a second, and ctrl-C works in it

    return run(sys.argv[1:])
