"""The changes of the campaign, and what they must lead to by a plain rule that shares no code with Segue."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from schemas.outputs.segment_change import Cause, Change, SegmentChange, UserErasedChange

AT = datetime(2024, 12, 3, 19, 30, tzinfo=UTC)
SEGMENTS = 8
ENTERED, LEFT, ENTERED_ONCE = 1, 2, 3
"""The triggers: on entering segment 1, on leaving segment 2, on entering segment 3 for the first time."""
HELD_OUT = 0.1
"""The share of users who never get the webhook of the last."""
REFUSED = "0"
"""The receiver refuses a webhook whose id begins with this."""


@dataclass
class Expected:
    """What the changes so far must lead to.

    Attributes:
        changes: how many there are.
        webhooks: by trigger, the webhooks in the order of the changes.
        times: by trigger and user, the webhooks since the user's last erasure.
        others: by trigger, how many changes it is on lead to no webhook, by outcome.
        refused: by user, those of them that the receiver refuses for ever: the dead letters that stand.
    """

    changes: int = 0
    webhooks: dict[str, list[str]] = field(default_factory=lambda: {"enters": [], "leaves": [], "once": []})
    times: dict[tuple[str, str], int] = field(default_factory=dict)
    others: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    refused: dict[str, set[str]] = field(default_factory=dict)

    def note_once(self, change: Change) -> None:
        """Expect a webhook unless the user had one, or is held out."""
        place = "once", change.user_id
        if place in self.times:
            self.others["once"]["skipped: reentry"] += 1
        elif is_held_out(change.user_id):
            self.others["once"]["held_out"] += 1
            self.times[place] = 1
        else:
            self.note("once", change)

    def note(self, trigger: str, change: Change) -> None:
        """Expect a webhook."""
        name = f"{change.event_id}-{trigger}"
        self.webhooks[trigger].append(name)
        if name.startswith(REFUSED):
            self.refused.setdefault(change.user_id, set()).add(name)
        place = trigger, change.user_id
        self.times[place] = self.times.get(place, 0) + 1


def is_held_out(user_id: str) -> bool:
    """Return whether a user never gets the webhook of the trigger `once`."""
    return int.from_bytes(sha256(f"once\n{user_id}".encode()).digest()[:8]) < HELD_OUT * 2**64


def moves(seed: int, count: int, users: int, expected: Expected) -> Iterator[Change]:
    """Yield changes of random users, and note in ``expected`` what they must lead to."""
    rng = random.Random(seed)
    segments: dict[str, int] = {}
    sequences: dict[str, int] = {}
    for number in range(count):
        user = f"u{rng.randrange(users)}"
        sequences[user] = sequences.get(user, 0) + 1
        # The first digits are random, because the receiver refuses by the first. The user stands in the id.
        name = f"{rng.randrange(16):x}{number:015x}{int(user[1:]):016x}"
        base = {"event_id": name, "user_id": user, "sequence": sequences[user]}
        expected.changes += 1
        if user in segments and rng.random() < 0.01:
            del segments[user], sequences[user]
            for trigger in expected.webhooks:
                expected.times.pop((trigger, user), None)
            expected.refused.pop(user, None)
            yield _erased(base)
            continue
        before = segments.get(user)
        after = rng.choice([each for each in range(SEGMENTS) if each != before])
        segments[user] = after
        change = _moved(base, before, after)
        if after == ENTERED:
            expected.note("enters", change)
        if before == LEFT:
            expected.note("leaves", change)
        if after == ENTERED_ONCE:
            expected.note_once(change)
        yield change


def _moved(base: dict[str, object], before: int | None, after: int) -> SegmentChange:
    return SegmentChange(
        **base,  # type: ignore[arg-type]
        kind="moved",
        previous_segment=before,
        segment=after,
        segment_name=f"segment {after}",
        model_version="v",
        activation=0,
        occurred_at=AT,
        emitted_at=AT,
        provisional=False,
        missing=(),
        features={},
        components=(0.0, 1.0),
        distance=0.5,
        margin=0.5,
        similar_users=(),
        cause=Cause(type="order"),
    )


def _erased(base: dict[str, object]) -> UserErasedChange:
    cause = Cause(type="signup")
    return UserErasedChange(**base, occurred_at=AT, emitted_at=AT, cause=cause)  # type: ignore[arg-type]
