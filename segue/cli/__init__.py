"""The command `segue`.

The parts:

    main.py      runs a command, and turns every error into one sentence and an exit code
    command.py   declares a command with the settings that it uses as options
    terminal.py  what people see: sentences, progress and tables

and one file a command: its options here, what it does in a module of `segue` of its own.
"""

from segue.cli.main import main

__all__ = ["main"]
