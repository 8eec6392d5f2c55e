"""The parts of a worker's work, each beside the same part of the limit (:mod:`benchmarks.bare`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec.structs import replace

from benchmarks.bare import bare_events
from benchmarks.bare.bare_change import record_of
from benchmarks.bare.bare_store import BareStore
from benchmarks.bare.bare_user import BareUser
from benchmarks.bare.bare_user import features as bare_features
from benchmarks.bare.bare_user import fold as bare_fold
from benchmarks.bare.table_score import TableScorer
from benchmarks.parts.measure import Comparison, compare, seconds_each
from benchmarks.stage.shop_events import from_empty
from benchmarks.thelook import fitted, release
from schemas.features import FEATURES
from schemas.input_events import Event
from schemas.inputs.decode import decode_order, decode_signup
from schemas.inputs.fields_read import fields_read
from schemas.outputs.segment_change import Cause, SegmentChange
from schemas.topics import Topics
from streamer.batch.batch_users import Users
from streamer.batch.change_records import change_records
from streamer.place.place import Sweep
from streamer.redis.redis_store import RedisStore
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import decide
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import UserState

_EVENTS = 2_000
_NOW = datetime(2024, 1, 1, tzinfo=UTC)
_TOPICS, _RULES = Topics(), Rules()


@dataclass(frozen=True, slots=True)
class _Batch:
    """The same events for both: decoded, folded and decided."""

    events: Sequence[Event]
    bare_events: Sequence[bare_events.BareEvent]
    states: Mapping[str, UserState]
    bare_users: Mapping[str, BareUser]
    changes: Sequence[SegmentChange]


def parts_of_an_event(redis_url: str) -> list[Comparison]:
    """Seconds for each event: decode, fold, features, score and encode in memory; load and save in Redis."""
    lines = from_empty(_EVENTS)
    read = fields_read(FEATURES, statuses=False)
    model = ActiveModel(release(fitted()), fitted().scorer, 1, "models", _NOW)
    table = TableScorer(model.release)

    def decoded() -> list[Event]:
        return [
            (decode_order if line.is_order else decode_signup)(line.key, line.value, _NOW, read=read)
            for line in lines
        ]

    def bare_decoded() -> list[bare_events.BareEvent]:
        return [
            (bare_events.decode_order if line.is_order else bare_events.decode_signup)(line.value)
            for line in lines
        ]

    batch = _batch(decoded(), bare_decoded(), model)
    values = [features(state, _RULES, None) for state in batch.states.values()]
    return [
        _compared("decode", decoded, bare_decoded),
        _compared("fold", lambda: _folded(batch.events), lambda: _bare_folded(batch.bare_events)),
        _compared(
            "features",
            lambda: [features(state, _RULES, None) for state in batch.states.values()],
            lambda: [bare_features(user_id, user) for user_id, user in batch.bare_users.items()],
            len(values),
        ),
        _compared(
            "score",
            lambda: [model.scorer.score(each) for each in values],
            lambda: [table.score(each) for each in values],
            len(values),
        ),
        _compared(
            "encode a change",
            lambda: [change_records(change, _TOPICS, 0, "models", None) for change in batch.changes],
            lambda: [record_of(change, (), _NOW, "") for change in batch.changes],
            len(batch.changes),
        ),
        *_stored(redis_url, batch, model),
    ]


def _stored(redis_url: str, batch: _Batch, model: ActiveModel) -> list[Comparison]:
    """Save all users of the batch, and load them again."""
    ours, bare = RedisStore(redis_url, 0, "parts:"), BareStore(redis_url, "bare-parts:", "0")
    sweep = Sweep(1, model.topic_id, model.activation, _NOW, model.release.version, model.release.space)
    names = [segment.name for segment in model.release.segments]
    saves = 0

    def loaded() -> Users:
        return Users(ours, dict.fromkeys(batch.states, ()))

    def save() -> float:
        nonlocal saves
        users, saves = loaded(), saves + 1
        for state in batch.states.values():
            users.put(replace(state))
        began = time.perf_counter()
        writes = users.writes(sweep, {}, _RULES, None)
        assert ours.save(users.place, b"%d" % saves, writes)
        return (time.perf_counter() - began) / len(batch.states)

    def bare_save() -> float:
        bare.load(list(batch.bare_users))
        began = time.perf_counter()
        bare.save(b"place", batch.bare_users, set(batch.bare_users), names, {})
        return (time.perf_counter() - began) / len(batch.bare_users)

    for user in batch.bare_users.values():
        user.segment = 0
    saved = compare("save a user", ("Segue", save), ("the limit", bare_save))
    return [
        _compared("load a user", loaded, lambda: bare.load(list(batch.bare_users)), len(batch.states)),
        saved,
    ]


def _compared(
    what: str, ours: Callable[[], object], theirs: Callable[[], object], count: int = _EVENTS
) -> Comparison:
    return compare(
        what,
        ("Segue", lambda: seconds_each(ours, 1) / count),
        ("the limit", lambda: seconds_each(theirs, 1) / count),
    )


def _batch(events: Sequence[Event], bare: Sequence[bare_events.BareEvent], model: ActiveModel) -> _Batch:
    steps = [decide(state, Cause("order"), _NOW, model, _RULES, _NOW) for state in _folded(events).values()]
    changes = [change for step in steps for change in step.changes if isinstance(change, SegmentChange)]
    states = {step.state.user_id: step.state for step in steps}
    return _Batch(events, bare, states, _bare_folded(bare), changes)


def _folded(events: Sequence[Event]) -> dict[str, UserState]:
    states: dict[str, UserState] = {}
    for event in events:
        states[event.user_id] = fold(states.get(event.user_id) or UserState(event.user_id), event, _RULES)
    return states


def _bare_folded(events: Sequence[bare_events.BareEvent]) -> dict[str, BareUser]:
    users: dict[str, BareUser] = {}
    for event in events:
        if event.user_id not in users:
            users[event.user_id] = BareUser(order_ids=[], brands={}, categories={})
        bare_fold(users[event.user_id], event)
    return users
