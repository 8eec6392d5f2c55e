"""Judge whether a command has read every user and record, and whether each user is right. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.checks.check_promises import Expected
from tests.support.checks.stored_json import order_json, state_json
from tests.support.checks.stored_users import Stored, features_of, left_of, parsed

_NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class There:
    """The counts at a moment, counted without the product.

    Attributes:
        users: the users with an event in the inputs, also erased users.
        events: the events in the inputs.
        decisions: the records in `user-segments`.
    """

    users: int
    events: int
    decisions: int

    @property
    def records(self) -> int:
        """The number of records that a full fold reads."""
        return self.events + self.decisions


def check_counts(command: str, told: Mapping[str, Any], least: There, most: There) -> None:
    """Check that a command has read all records, and compared or written all users.

    Args:
        told: the JSON of the command.
        least: the counts at the beginning of the command.
        most: the counts after its end.

    Raises:
        AssertionError: the command has left something out, or invented something.
    """
    assert least.users > 0, f"{command}: there is nobody to look at"
    for what, low, high in (
        ("users", least.users, most.users),
        ("records", least.records, most.records),
    ):
        bounds = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        assert low <= told[what] <= high, f"{command} says {told[what]:,} {what}, right is {bounds}"


def differences(
    right: Mapping[str, Expected],
    gone: Collection[str],
    stored: Mapping[str, Mapping[bytes, bytes]],
    newest: Mapping[str, Mapping[str, Any] | None],
) -> list[str]:
    """Describe every difference, with its user.

    Args:
        right: the users, recomputed from all of their events.
        gone: erased users without a later fact.
        stored: the hash in Redis, by user.
        newest: the newest record in `user-segments`, by user.
    """
    wrong = []
    for user_id, wanted in right.items():
        wrong += _of_user(user_id, wanted, stored.get(user_id, {}), newest.get(user_id))
    everything = Stored(users={user_id: dict(fields) for user_id, fields in stored.items()})
    for user_id in gone:
        wrong += left_of(user_id, everything)
        record = newest.get(user_id)
        if record is not None:
            wrong.append(f"{user_id!r} is erased, but user-segments has {record}")
    return wrong


def _of_user(
    user_id: str, right: Expected, fields: Mapping[bytes, bytes], record: Mapping[str, Any] | None
) -> list[str]:
    if record is None or b"state" not in fields or b"segment" not in fields:
        return [f"{user_id!r}: right is {right}, Redis has {sorted(fields)}, user-segments {record}"]
    state = state_json(fields[b"state"])
    held = {
        name[2:].decode(): order_json(user_id, name[2:].decode(), order)
        for name, order in fields.items()
        if name.startswith(b"o:")
    }
    decided = (right.segment, right.provisional)
    components = state["position"]["components"]
    near = all(abs(a - b) <= _NEAR for a, b in zip(components, right.components, strict=True))
    has_and_right: list[tuple[str, Any, Any]] = [
        ("user-segments has", (record["segment"], record["provisional"]), decided),
        ("Redis has", (int(fields[b"segment"]), fields[b"provisional"] == b"1"), decided),
        ("Redis has sequence", int(fields[b"sequence"]), record["sequence"]),
        ("Redis has features", features_of(user_id, state["facts"]), dict(right.features)),
        ("Redis has orders", parsed(held), parsed(right.orders or {})),
    ]
    if not near:
        has_and_right.append(("Redis has components", components, right.components))
    return [
        f"{user_id!r}: {what} {has}, right is {ought}" for what, has, ought in has_and_right if has != ought
    ]
