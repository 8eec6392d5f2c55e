"""One thing that was looked at."""

from __future__ import annotations

from msgspec import Struct

OK, WARN, FAIL = "ok", "warn", "fail"


class Check(Struct, frozen=True, omit_defaults=True):
    """A line of the answer.

    ``state`` is ``ok``, ``warn`` (it works, and somebody should look) or ``fail``; ``fix`` says what to do.
    """

    name: str
    state: str
    text: str
    fix: str | None = None


def worst(checks: list[Check]) -> str:
    """The worst state among them."""
    states = {check.state for check in checks}
    return FAIL if FAIL in states else WARN if WARN in states else OK
