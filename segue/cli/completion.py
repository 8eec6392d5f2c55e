"""`segue --show-completion` and `--install-completion`, for the named shell or the shell that runs them.

Typer's own options know no shell by name: they take the shell that runs them, whatever stands behind them.
"""

from __future__ import annotations

from collections.abc import Sequence

from typer._completion_shared import Shells, get_completion_script, install
from typer._completion_shared import _get_shell_name as running_shell

from segue.config.command_line import BadUsage, bad_option
from segue.show.terminal import say, write

SHOW, INSTALL = "--show-completion", "--install-completion"
_SHELLS = ", ".join(Shells)


def completes(arguments: Sequence[str]) -> bool:
    """Return whether :func:`complete` answers these arguments of the program."""
    return bool(arguments) and arguments[0].partition("=")[0] in (SHOW, INSTALL)


def complete(arguments: Sequence[str]) -> int:
    """Print or install the completion of a shell; return the exit code.

    Raises:
        BadUsage: there is no completion for the shell, or no shell is named and none is found.
    """
    option, named, shell = arguments[0].partition("=")
    words = [shell, *arguments[1:]] if named else list(arguments[1:])
    if words:
        shell = " ".join(words)
        if shell not in set(Shells):
            raise bad_option(option, shell, f"use one of {_SHELLS}")
    else:
        shell = running_shell() or ""
        if shell not in set(Shells):
            found = f"there is no completion for the shell {shell}" if shell else "no shell was found"
            raise BadUsage(f"{found}: name one after {option}: {_SHELLS}")
    if option == SHOW:
        write(get_completion_script(prog_name="segue", complete_var="_SEGUE_COMPLETE", shell=shell))
    else:
        _, path = install(shell, "segue")
        say(f"Completion for {shell} is installed in {path}. It works in new terminals.")
    return 0
