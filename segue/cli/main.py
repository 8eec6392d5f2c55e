"""Runs a command. Every error becomes one sentence on standard error and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from functools import cache
from io import TextIOWrapper

import typer.exceptions
import typer.main

from schemas.errors import DISK_FULL, NoRoom, NotInstalled, SegueError
from schemas.extras import how_to_install, is_of_workers
from segue import interruption
from segue.cli import commands
from segue.cli.completion import complete, completes
from segue.show.terminal import CLOSED_PIPE, complain, say
from streamer.status.worker_logs import set_up_logs

UNEXPECTED = 70
"""The exit code of an unexpected error (``EX_SOFTWARE`` of ``sysexits.h``)."""

_program = cache(typer.main.get_command)  # a process that runs many commands builds them once


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Raises:
        KeyboardInterrupt: a signal ended the command.
    """
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, TextIOWrapper):
            output.reconfigure(errors="backslashreplace")  # a locale without ñ shows an escape
    set_up_logs("error")  # commands report by themselves
    try:
        if completes(arguments):
            return complete(arguments)
        code = _program(commands.app).main(
            list(arguments) or ["--help"], prog_name="segue", standalone_mode=False
        )
    except SystemExit as end:
        # Typer's help ends with 1 at a closed pipe.
        return CLOSED_PIPE if end.code == 1 else int(end.code or 0)
    except Exception as error:  # noqa: BLE001 - the only place that catches unexpected errors
        if interruption.signal_came():  # a library has turned the interrupt into another error
            raise KeyboardInterrupt from None
        return _report(error, debug="--debug" in arguments)
    if interruption.signal_came():  # Typer has turned the interrupt into an exit code
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _report(error: Exception, *, debug: bool) -> int:
    if isinstance(error, typer.exceptions.TyperException):
        return _usage(error)
    if debug:
        say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, SegueError):
        complain(str(error))
        return error.exit_code
    if isinstance(error, ModuleNotFoundError) and is_of_workers(error.name):
        complain(f"this command needs {error.name}, which is not installed; {how_to_install('worker')}")
        return NotInstalled.exit_code
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        file = f" ({error.filename})" if error.filename else ""
        complain(f"nothing can be written any more: {error.strerror}{file}")
        return NoRoom.exit_code
    hint = "above is where it happened" if debug else "run it again with --debug to see where"
    complain(f"unexpected {type(error).__name__}: {error}. This is a bug in Segue: {hint}.")
    return UNEXPECTED


def _usage(error: typer.exceptions.TyperException) -> int:
    """Report an unknown option, or a value that cannot be read."""
    context = getattr(error, "ctx", None)
    path = "segue" if context is None else context.command_path
    message = error.format_message().replace("Value error, ", "")  # of pydantic, under Typer
    if not message:  # a group without a command has shown its help
        return error.exit_code
    complain(f"{message}{'' if message.endswith(('.', '?')) else '.'} See {path} --help.")
    return error.exit_code
