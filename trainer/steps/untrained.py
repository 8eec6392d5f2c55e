"""Which users a fit left out, and why, in words."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from schemas.counted import counted


class _Users(Struct, frozen=True):
    read: int
    used: int
    without_orders: int
    missing: dict[str, int]
    unseen: dict[str, int]


class _Report(Struct, frozen=True):
    users: _Users


def reasons(without_orders: int, missing: Mapping[str, int], unseen: Mapping[str, int]) -> list[str]:
    """Each reason that left somebody out, with its number of users: `12 without gender`."""
    parts = [f"{without_orders:,} without an order"] if without_orders else []
    parts += [f"{count:,} without {name}" for name, count in missing.items() if count]
    return parts + [
        f"{count:,} with a {name} new to the kept space" for name, count in unseen.items() if count
    ]


def untrained_in(report: bytes) -> Iterator[str]:
    """Sentences on who was left out, by what ``report.json`` has; none where everybody trained."""
    users = msgspec.json.decode(report, type=_Report).users
    if users.used == users.read:
        return
    told = reasons(users.without_orders, users.missing, users.unseen)
    yield (
        f"{users.read - users.used:,} of {counted(users.read, 'user')} {'was' if users.read - users.used == 1 else 'were'} "
        f"not trained on: {', '.join(told)}{' (a user may stand in several)' if len(told) > 1 else ''}"
    )
    if 2 * users.used < users.read:
        yield (
            f"fewer than half of the users were trained on, {users.used / users.read:.1%}: correct what is missing in the "
            "warehouse, or leave the feature that most users lack out of the setting features"
        )
