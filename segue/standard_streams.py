"""Opens the null device where a standard stream of the process is closed, as in ``segue worker 2>&-``.

The next file or connection would get the stream's number, and what libraries and child processes write to the
stream would go into it.
"""

import os
import sys


def open_missing_streams() -> None:
    """Open standard input, output and error if they are closed; call this before any file is opened."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:  # Python found it open
            continue
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            os.dup2(null, number)
            os.close(null)
        os.set_inheritable(number, True)
        setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))
