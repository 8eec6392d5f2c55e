"""Check every chain of changes against all orders of events that the log allows.

Kafka fixes no order between two topics, so a user's events may have come in several orders: the paths through
a lattice with one axis per topic. Each change names its point on the lattice (``cause.positions``); between
two changes the lane emitted no other change. A chain is right if some path through all of its changes gives
exactly these changes.

The check does not use the product's fold, scorer or lanes: features come from
``tests.support.checks.feature_oracle``, segments from the releases' own scikit-learn pipelines.
"""

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from schemas.input_events import Event, UserErased
from tests.support.checks import feature_oracle
from tests.support.checks.pipelines import Pipeline, Scored

At = tuple[int, ...]
"""A point of the lattice: for each topic, the number of the user's events that the lane has read."""
Label = tuple[int, bool]
"""A segment, and whether it is provisional."""
Row = tuple[Any, ...]
"""The features."""
Scores = Mapping[Row, Scored]
"""The scores of one release, by features."""

# The sweep of a new activation moved the user, so the decision before comes from an older activation.
_MODEL = "model"
_BOOTSTRAP = "bootstrap"


@dataclass(frozen=True, slots=True)
class Lying:
    """An event at the place where a lane reads it.

    Attributes:
        offset: the offset in the topic that the lane reads.
        came: topic, partition and offset where the producer wrote the event; different for a re-keyed event.
    """

    offset: int
    came: tuple[str, int, int]
    event: Event


class Wrong(AssertionError):
    """No order of the events in the log gives the chain."""


@dataclass(slots=True)
class History:
    """The events of one user in the log, and the user's changes.

    Attributes:
        tracks: by input topic, the user's events in its lane, in order.
        chain: the changes, as JSON, in the order of the topic; a decision of a bootstrap comes first.
        past: the facts of a bootstrap: they precede the tracks and are in no log.
    """

    user_id: str
    tracks: Mapping[str, Sequence[Lying]]
    chain: Sequence[Mapping[str, Any]]
    past: Sequence[Event] = ()


@dataclass(slots=True)
class _Walk:
    """One user's lattice: the features at each point on a possible path."""

    history: History
    exclude: frozenset[str]
    min_margin: float
    topics: list[str] = field(init=False)
    offsets: list[list[int]] = field(init=False)
    rows: dict[At, Row | None] = field(default_factory=dict)
    erasures: dict[At, datetime | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.topics = [*self.history.tracks]
        self.offsets = [[lying.offset for lying in self.history.tracks[topic]] for topic in self.topics]

    def pin(self, change: Mapping[str, Any]) -> At:
        """Return the point just after the cause of a change."""
        positions = change["cause"]["positions"]
        return tuple(
            bisect_left(offsets, positions.get(topic, 0))
            for topic, offsets in zip(self.topics, self.offsets, strict=True)
        )

    def right(self, scores: Scores, at: At, label: Label | None) -> Label | None:
        """Return the label that the release gives at a point to a user with ``label``; None without facts."""
        row = self.rows[at]
        if row is None:
            return None
        present = None if label is None else label[0]
        return scores[row].segment_from(present, self.min_margin), scores[row].provisional

    def boxes(self) -> list[tuple[At, At]]:
        """Return the first and last point of each stretch between changes, over the whole log."""
        pins = [self.pin(change) for change in self.history.chain]
        corners = [(0,) * len(self.topics), *pins, tuple(map(len, self.offsets))]
        for low, high in itertools.pairwise(corners):
            if any(a > b for a, b in zip(low, high, strict=True)):
                raise Wrong(f"the lane went back, from {low} to {high}")
        return [*itertools.pairwise(corners)]

    def look(self, at: At) -> None:
        """Compute the features and the erasure at a point, once."""
        if at in self.rows:
            return
        came = [
            lying.event
            for topic, count in zip(self.topics, at, strict=True)
            for lying in self.history.tracks[topic][:count]
        ]
        facts = [*self.history.past, *came]
        features = feature_oracle.features(self.history.user_id, facts, self.exclude)
        self.rows[at] = None if features is None else tuple(features.values())
        self.erasures[at] = max((f.erased_at for f in facts if isinstance(f, UserErased)), default=None)

    def before(self, pin: At, cause: Mapping[str, Any]) -> At | None:
        """Return the point before the cause at ``pin``; None if no topic's newest event is the cause."""
        came = (cause["topic"], cause["partition"], cause["offset"])
        for axis, (topic, count) in enumerate(zip(self.topics, pin, strict=True)):
            if count and self.history.tracks[topic][count - 1].came == came:
                return (*pin[:axis], count - 1, *pin[axis + 1 :])
        return None

    def steps(self, at: At, end: At) -> Iterator[At]:
        """Yield the points one event further, for each topic with an event left before ``end``."""
        for axis, (here, there) in enumerate(zip(at, end, strict=True)):
            if here < there:
                yield (*at[:axis], here + 1, *at[axis + 1 :])


def check_chains(
    histories: Iterable[History],
    pipelines: Sequence[tuple[int, Pipeline]],
    exclude: Iterable[str] = (),
    min_margin: float = 0.0,
    at_once: int = 500,
) -> int:
    """Check every user's chain; return the number of explained changes.

    Args:
        pipelines: every activation, in order: its offset in the topic of releases, and its pipeline.
        at_once: the number of users that are scored together.

    Raises:
        AssertionError: some chains are wrong; the message has the first of them.
    """
    excluded, wrong, explained = frozenset(exclude), [], 0
    iterator = iter(histories)
    while some := list(itertools.islice(iterator, at_once)):
        walks = [_Walk(history, excluded, min_margin) for history in some]
        scores = _scores(walks, pipelines)
        for walk in walks:
            try:
                _explain(walk, scores, pipelines)
            except Wrong as error:
                wrong.append(f"{walk.history.user_id}: {error}")
            explained += len(walk.history.chain)
    assert not wrong, f"{len(wrong)} chains that the log does not give, the first: {wrong[:3]}"
    return explained


def _scores(walks: Sequence[_Walk], pipelines: Sequence[tuple[int, Pipeline]]) -> list[Scores]:
    """Return each activation's scores for every row on a possible path."""
    rows: set[Row] = set()
    for walk in walks:
        with suppress(Wrong):  # `_explain` reports it
            for low, high in walk.boxes():
                for at in _box(low, high):
                    walk.look(at)
        rows.update(row for row in walk.rows.values() if row is not None)
    listed = list(rows)
    found: dict[str, Scores] = {}
    for _, pipeline in pipelines:
        if pipeline.version not in found:
            found[pipeline.version] = dict(zip(listed, _scored(listed, pipeline), strict=True))
    return [found[pipeline.version] for _, pipeline in pipelines]


def _scored(rows: Sequence[Row], pipeline: Pipeline) -> Iterator[Scored]:
    return pipeline.score(pd.DataFrame(rows, columns=list(pipeline.known)))


def _explain(walk: _Walk, scores: Sequence[Scores], pipelines: Sequence[tuple[int, Pipeline]]) -> None:
    """Find a path through all changes, or raise.

    ``earliest`` has for each reachable point the earliest activation that can be in use there. Every later
    activation can be in use there, too.
    """
    activations = [activation for activation, _ in pipelines]
    label: Label | None = None
    earliest = {(0,) * len(walk.topics): 0}
    boxes = walk.boxes()
    former: Mapping[str, Any] | None = None
    for (_, pin), change in zip(boxes, walk.history.chain, strict=False):
        told = f"change {change['sequence']} ({change['kind']})"
        _expect_linked(former, change, label, told)
        if former is not None and former["kind"] == "erased" and former["cause"] == change["cause"]:
            before = earliest[pin]
        else:
            _wander(walk, earliest, pin, label, scores)
            before = _step_to(walk, earliest, pin, change, label, told)
        if change["kind"] == "erased":
            label, used = None, before
        else:
            used = activations.index(change["activation"])
            if before > used or (change["cause"]["type"] == _MODEL and before >= used):
                raise Wrong(f"{told}: activation {change['activation']} came too late or too early")
            if change["model_version"] != pipelines[used][1].version:
                raise Wrong(f"{told}: activation {change['activation']} is not of {change['model_version']}")
            label = _expect(walk, pin, change, label, scores[used], told)
        earliest, former = {pin: used}, change
    _wander(walk, earliest, boxes[-1][1], label, scores)
    _expect_end(walk, earliest, label, scores[-1])


def _expect_linked(
    former: Mapping[str, Any] | None, change: Mapping[str, Any], label: Label | None, told: str
) -> None:
    """Check that sequences count from 1 in each life, and that each change names the previous segment."""
    sequence = 1 if former is None or former["kind"] == "erased" else former["sequence"] + 1
    previous = None if label is None else label[0]
    if change["sequence"] != sequence:
        raise Wrong(f"{told}: {sequence} follows")
    if change["kind"] == "erased":
        if label is None:
            raise Wrong(f"{told}: there was nobody to erase")
    elif change["previous_segment"] != previous:
        raise Wrong(f"{told}: the segment before was {previous}, not {change['previous_segment']}")


def _expect_end(walk: _Walk, earliest: Mapping[At, int], label: Label | None, newest: Scores) -> None:
    """Check that at the log's end the newest release gives the label of the last change."""
    end = walk.boxes()[-1][1]
    right = walk.right(newest, end, label)
    if end not in earliest or label != right:
        raise Wrong(
            f"after its last change, which left {label}, something more was to be told; right is {right}"
        )


def _box(low: At, high: At) -> Iterator[At]:
    return itertools.product(*(range(a, b + 1) for a, b in zip(low, high, strict=True)))


def _wander(
    walk: _Walk,
    earliest: dict[At, int],
    end: At,
    label: Label | None,
    scores: Sequence[Scores],
) -> None:
    """Add to ``earliest`` every point up to ``end`` that events reach without a change."""
    (begin,) = earliest
    for at in _box(begin, end):
        if at not in earliest:
            continue
        for there in walk.steps(at, end):
            activation = _silent(walk, at, there, label, scores, earliest[at])
            if activation is not None:
                earliest[there] = min(activation, earliest.get(there, activation))


def _silent(
    walk: _Walk,
    at: At,
    there: At,
    label: Label | None,
    scores: Sequence[Scores],
    since: int,
) -> int | None:
    """Return the earliest activation that decides no change on the step to ``there``; None if all do."""
    row = walk.rows[there]
    if label is None or row is None:
        return since if label is None and row is None else None
    if walk.erasures[there] != walk.erasures[at]:
        return None
    silent = (a for a in range(since, len(scores)) if walk.right(scores[a], there, label) == label)
    return next(silent, None)


def _step_to(
    walk: _Walk,
    earliest: Mapping[At, int],
    pin: At,
    change: Mapping[str, Any],
    label: Label | None,
    told: str,
) -> int:
    """Return the earliest activation at the point before a change: before its sweep or its event."""
    cause, before, erases = change["cause"], pin, False
    if cause["type"] == _BOOTSTRAP:
        if label is not None or any(pin):
            raise Wrong(f"{told}: a bootstrap comes before all else")
        return earliest.get(pin, 0)
    if cause["type"] != _MODEL:
        found = walk.before(pin, cause)
        if found is None:
            raise Wrong(f"{told}: its cause {cause} is not the newest of the user's events there")
        before = found
        erases = label is not None and walk.erasures[before] != walk.erasures[pin]
    if before not in earliest:
        raise Wrong(f"{told}: something was to be told before it")
    if erases != (change["kind"] == "erased"):
        raise Wrong(f"{told}: an erasure is {'not told' if erases else 'told that was none'}")
    return earliest[before]


def _expect(
    walk: _Walk,
    pin: At,
    change: Mapping[str, Any],
    label: Label | None,
    scores: Scores,
    told: str,
) -> Label:
    """Check that a change has the values that the features at its point give; return its label."""
    row, right = walk.rows[pin], walk.right(scores, pin, label)
    if row is None or right is None:
        raise Wrong(f"{told}: no fact stands there")
    components = scores[row].components
    if label is None or label[0] != right[0]:
        kind = "moved"
    elif label[1] != right[1]:
        kind = "unconfirmed" if right[1] else "confirmed"
    else:
        raise Wrong(f"{told}: nothing changes there")
    says = (change["kind"], change["segment"], change["provisional"], *change["features"].values())
    gives = (kind, *right, *row)
    if says != gives:
        raise Wrong(f"{told}: it says {says}, the log gives {gives}")
    if any(abs(a - b) > 1e-9 for a, b in zip(change["components"], components, strict=True)):
        raise Wrong(f"{told}: components {change['components']}, right are {components}")
    return right


def in_order(told: Iterable[tuple[int, int, Mapping[str, int]]]) -> None:
    """Check that in each lane the positions of the causes never go back.

    Args:
        told: the lane of each change, its offset in ``segment-changes``, and the positions of its cause;
            sorted by lane and offset.
    """
    reached: dict[int, dict[str, int]] = defaultdict(dict)
    for lane, offset, positions in told:
        before = reached[lane]
        back = {topic: (before[topic], at) for topic, at in positions.items() if at < before.get(topic, 0)}
        assert not back, f"lane {lane} goes back at offset {offset}: {back}"
        before |= positions
