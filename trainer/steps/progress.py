"""How long work tells what it is doing: a few words as each step begins."""

from collections.abc import Callable

Say = Callable[[str], None]


def silent(_: str) -> None:
    """Tells nobody."""
