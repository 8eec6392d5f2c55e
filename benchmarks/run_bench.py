"""Runs a benchmark as `segue` runs a command: an error is one sentence; ctrl-C is one word, with 130."""

from __future__ import annotations

import sys
from importlib import import_module

from segue.interruption import run_guarded


def run_bench(module: str) -> None:
    """Run a module's function ``main``, and end the process with its exit code.

    Args:
        module: the benchmark; it is imported here, so that ctrl-C also works during its imports.
    """
    run_guarded(lambda: _run(module))


def _run(module: str) -> int:
    from schemas.errors import SegueError  # noqa: PLC0415 - ctrl-C works in these imports
    from segue.services import ServiceTrouble  # noqa: PLC0415

    try:
        return import_module(module).main() or 0
    except (SegueError, ServiceTrouble) as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
