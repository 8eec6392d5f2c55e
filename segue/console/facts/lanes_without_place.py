"""Why users are not counted: their lanes have no place in Redis. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from segue.config.settings import Settings
from segue.doctor.places import MADE_BY_A_WORKER


def lanes_without_place(lanes: Sequence[int], settings: Settings) -> str | None:
    """Return a sentence about the lanes without a place in Redis; None if there are none.

    Args:
        lanes: the lanes that have no place.
        settings: name the prefix that was read.
    """
    if not lanes:
        return None
    named = ", ".join(map(str, lanes))
    which = f"lane {named} has" if len(lanes) == 1 else f"lanes {named} have"
    return (
        f"{which} no place in Redis under the prefix {settings.redis_prefix!r}, so users are missing"
        f" here: {MADE_BY_A_WORKER}, or correct redis_prefix; segue doctor says more"
    )
