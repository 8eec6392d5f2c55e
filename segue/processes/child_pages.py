"""Gives a process's pages to its parent, over the pipe between them.

If the parent is gone, the pipe ends, also after SIGKILL, and the process ends at once. (A parent-death signal
exists on Linux alone, and comes already at the end of the thread that started the process.)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection

from streamer.status.status_server import Answer, Page, answer_of

_ORPHANED = 1
"""The exit code without a parent; nobody reads it."""


class ChildPages:
    """Answers the parent's questions in a thread: the page at a path, or None if no pages are shown.

    Args:
        parent: the pipe to the parent; from now on only the thread uses it.
    """

    def __init__(self, parent: Connection[Answer | None, str]) -> None:
        self._parent = parent
        self._by_path: Mapping[str, Page] | None = None
        threading.Thread(target=self._answer_all, name="pages", daemon=True).start()

    @contextmanager
    def show(self, by_path: Mapping[str, Page]) -> Iterator[None]:
        """Answer with these pages while the context is open."""
        self._by_path = by_path
        try:
            yield
        finally:
            self._by_path = None

    def _answer_all(self) -> None:
        try:
            while True:
                path, by_path = self._parent.recv(), self._by_path
                self._parent.send(None if by_path is None else answer_of(by_path, path))
        except (EOFError, OSError):
            os._exit(_ORPHANED)  # at once: the main thread may hang
