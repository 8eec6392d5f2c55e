"""Progress of long work: a callback that gets a few words when a step begins."""

from collections.abc import Callable

Say = Callable[[str], None]


def silent(_: str) -> None:
    """Ignore the words."""
