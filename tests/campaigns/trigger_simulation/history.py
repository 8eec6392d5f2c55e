"""Random changes of a few users, as lanes write them, with erasures and users who come back."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from schemas.outputs.segment_change import Cause, Change, SegmentChange, UserErasedChange, change_id

NAMES = ("calm", "At risk", "Champions")


@dataclass
class _User:
    sequence: int = 0
    segment: int | None = None
    provisional: bool = False
    lives: int = 0


class History:
    """Makes the next change of a random user, at the clock's time."""

    def __init__(self, rng: random.Random, users: int, clock: Callable[[], datetime]) -> None:
        self._rng = rng
        self._clock = clock
        self._users = {str(number): _User() for number in range(users)}

    def next(self) -> Change:
        """Return a change of a random user."""
        name = self._rng.choice(sorted(self._users))
        user = self._users[name]
        user.sequence += 1
        now = self._clock()
        event_id = change_id(f"life{user.lives}", name, None, user.sequence)
        cause = Cause(type="model" if self._rng.random() < 0.1 else "order")
        if user.segment is not None and self._rng.random() < 0.05:
            gone = UserErasedChange(
                event_id=event_id,
                user_id=name,
                sequence=user.sequence,
                occurred_at=now,
                emitted_at=now,
                cause=Cause(type="signup"),
            )
            self._users[name] = _User(lives=user.lives + 1)
            return gone
        before, stays = user.segment, user.segment is not None and self._rng.random() < 0.3
        if stays:
            user.provisional = not user.provisional
        else:
            user.segment = self._rng.choice([each for each in range(3) if each != before])
            user.provisional = self._rng.random() < 0.3
        assert user.segment is not None
        unconfirmed = "unconfirmed" if user.provisional else "confirmed"
        return SegmentChange(
            kind=unconfirmed if stays else "moved",  # type: ignore[arg-type]
            event_id=event_id,
            user_id=name,
            sequence=user.sequence,
            previous_segment=before,
            segment=user.segment,
            segment_name=NAMES[user.segment],
            model_version="v",
            activation=0,
            occurred_at=now,
            emitted_at=now,
            provisional=user.provisional,
            missing=(),
            features={},
            components=(0.0,),
            distance=0.0,
            margin=1.0,
            similar_users=(),
            cause=cause,
        )
