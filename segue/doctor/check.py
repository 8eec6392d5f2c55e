"""The result of one check."""

from __future__ import annotations

from msgspec import Struct

OK, WARN, FAIL = "ok", "warn", "fail"


class Check(Struct, frozen=True, omit_defaults=True):
    """One line of the output.

    Attributes:
        name: what was checked.
        state: ``ok``, ``warn`` (it works, but somebody should look) or ``fail``.
        text: what was found.
        fix: what to do; None if there is nothing to do.
    """

    name: str
    state: str
    text: str
    fix: str | None = None


def worst(checks: list[Check]) -> str:
    """Return the worst state of these checks."""
    states = {check.state for check in checks}
    return FAIL if FAIL in states else WARN if WARN in states else OK
