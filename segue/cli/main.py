"""Runs a command. Every error ends as one sentence on standard error and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import typer.exceptions
import typer.main

from schemas.errors import SegueError
from segue.cli import commands
from segue.cli.terminal import complain
from streamer.logs import set_up_logs

UNEXPECTED = 70
"""The exit code of an error that we did not foresee (``EX_SOFTWARE`` of ``sysexits.h``)."""
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script: runs, and exits."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    debug = "--debug" in arguments
    set_up_logs("error")  # what commands have to say, they say themselves
    try:
        root = typer.main.get_command(commands.app)
        code = root.main(list(arguments) or ["--help"], prog_name="segue", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.exceptions.TyperException as error:
        return _usage(error)
    except (KeyboardInterrupt, typer.exceptions.Abort):
        return INTERRUPTED
    except SegueError as error:
        if debug:
            traceback.print_exc()
        complain(str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the one place where the unforeseen ends
        if debug:
            traceback.print_exc()
        hint = "above is where it happened" if debug else "run it again with --debug to see where"
        complain(f"unexpected {type(error).__name__}: {error}. This is a bug in Segue: {hint}.")
        return UNEXPECTED


def _usage(error: typer.exceptions.TyperException) -> int:
    """An option that is not there, or a value that cannot be read."""
    context = getattr(error, "ctx", None)
    path = "segue" if context is None else context.command_path
    message = error.format_message()
    if not message:  # a group without a command has shown its help
        return error.exit_code
    complain(f"{message}{'' if message.endswith(('.', '?')) else '.'} See {path} --help.")
    return error.exit_code
