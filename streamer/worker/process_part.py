"""What a worker knows if it is one process of several."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from streamer.status.status_server import Page


@dataclass(frozen=True, slots=True)
class ProcessPart:
    """One process of several, whose parent answers for all.

    Attributes:
        partitions: how many partitions the lanes' topics have.
        show: gives the worker's pages to the parent while its context is open.
    """

    partitions: int
    show: Callable[[Mapping[str, Page]], AbstractContextManager[None]]
