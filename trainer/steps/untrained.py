"""Sentences about the users that a fit left out, and why."""

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
    """The reasons for leaving users out, each with its number of users: `12 without gender`.

    Args:
        without_orders: the number of users without an order.
        missing: the number of users without a feature, by feature.
        unseen: the number of users with a value new to the kept space, by feature.
    """
    parts = [f"{without_orders:,} without an order"] if without_orders else []
    parts += [f"{count:,} without {name}" for name, count in missing.items() if count]
    return parts + [
        f"{count:,} with a {name} new to the kept space" for name, count in unseen.items() if count
    ]


def untrained_in(report: bytes) -> Iterator[str]:
    """Yield sentences about the users left out, from ``report.json``; none if all users were trained on."""
    users = msgspec.json.decode(report, type=_Report).users
    if users.used == users.read:
        return
    left_out = users.read - users.used
    found = reasons(users.without_orders, users.missing, users.unseen)
    yield (
        f"{left_out:,} of {counted(users.read, 'user')} {'was' if left_out == 1 else 'were'} "
        f"not trained on: {', '.join(found)}{' (a user may have several reasons)' if len(found) > 1 else ''}"
    )
    if 2 * users.used < users.read:
        few = f"fewer than half of the users were trained on, {users.used / users.read:.1%}"
        if 2 * (users.read - users.without_orders) < users.read:
            yield f"{few}: most have no order yet, and only users with an order make the segments"
        else:
            yield (
                f"{few}: fill in the missing values in the warehouse, or leave the feature that most users"
                " lack out of the setting features"
            )
