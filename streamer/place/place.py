"""A lane's place: how far the states in Redis have come in the lane, and under which settings."""

from datetime import date, datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from schemas.days import UTC_NAME
from schemas.errors import NeedsRebuild
from schemas.features import FEATURES, Feature
from schemas.inputs.forms.event_form import EventForms
from schemas.partitioner import Partitioner
from streamer.interfaces.lane_interfaces import Former
from streamer.place.place_marks import Emptying, Moved, Refilling, mark_in
from streamer.segment.active_model import ActiveModel
from streamer.user.stored.stored_formats import NEWEST, check_format


class FoldSettings(Struct, frozen=True):
    """The settings that change the result of the fold; a place with other settings is refused.

    ``declared`` holds the features beyond the default seven (:func:`schemas.features.beyond_default`), and
    ``left_out`` the names of those among the seven that the fold leaves out. ``events`` holds the forms of
    events that others send; a place of Segue's own form does not mention them. ``time_zone`` is the zone of
    features of time; a place without such features, or in UTC, does not mention it.
    """

    partitions: int
    exclude_statuses: tuple[str, ...] = ()
    partitioner: Partitioner = "murmur2"
    declared: tuple[Feature, ...] = ()
    rekey: bool = False
    left_out: tuple[str, ...] = ()
    events: EventForms | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET

    @property
    def zone_name(self) -> str:
        """The name of the zone in which a time becomes a date."""
        return UTC_NAME if isinstance(self.time_zone, UnsetType) else self.time_zone

    @property
    def forms(self) -> EventForms:
        """The forms of the events on both inputs."""
        return _OWN_FORM if self.events is UNSET else self.events

    @property
    def features(self) -> tuple[Feature, ...]:
        """All features that the fold computes."""
        return (*(f for f in FEATURES if f.name not in self.left_out), *self.declared)


_OWN_FORM = EventForms()


class Sweep(Struct, frozen=True):
    """The activation that decides the lane's users, and the indexes that its saves write.

    Attributes:
        number: counts the lane's sweeps, from 1.
        models_topic: the id of the topic of releases.
        activation: the offset of the activation in this topic.
        at: the time of the activation.
        version: the version of the activated release.
        space: the space of this release.
        filling: the other spaces whose index is also written; by space, the version of one of its releases.
        dropped: the spaces whose index the lane's users leave.
        whole: the index of ``space`` held all of the lane's users when the sweep began.
        ready: the offset of a later activation that waits until every lane has the index of its space. This
            lane has read it, and so keeps this index for it. -1 if there is none.
    """

    number: int
    models_topic: str
    activation: int
    at: datetime
    version: str
    space: str
    filling: dict[str, str] = {}
    dropped: tuple[str, ...] = ()
    whole: bool = True
    ready: int = -1

    def by(self, model: ActiveModel) -> bool:
        """Whether this is the sweep of the model's activation."""
        return (self.models_topic, self.activation) == (model.topic_id, model.activation)


class Place(Struct, frozen=True):
    """How far the states in Redis have come in one lane.

    Attributes:
        step: counts the lane's saves. With ``writer``, it makes the bytes of every save different.
        writer: the takeover that saved.
        positions: the next offset of each input and of ``user-segments``, by topic.
        topic_ids: the ids of these topics, by topic.
        settings: the settings of the fold that made the states.
        sweep: the lane's newest sweep.
        swept: this sweep has reached all of the lane's users.
        formers: by input that was deleted and created again, the topic before the present topic, and how far
            the lane has read it.
        format: the format number, see :mod:`streamer.user.stored.stored_formats`.
        day: the lane's day (:mod:`streamer.segment.lane_day`); absent if no declared feature reads the day.
        users: how many users the lane's set of users has; -1 in a place of an older format.
    """

    step: int
    writer: str
    positions: dict[str, int]
    topic_ids: dict[str, str]
    settings: FoldSettings
    sweep: Sweep
    swept: bool = False
    formers: dict[str, Former] = {}
    format: int = NEWEST
    day: date | UnsetType = UNSET
    users: int = -1

    @property
    def decides_on(self) -> date | None:
        """The lane's day; None if no declared feature reads the day."""
        return None if isinstance(self.day, UnsetType) else self.day


# Made at import, before there are threads: msgspec inspects a type on first use, and the process crashes if
# two lanes start this at the same time.
_decoder = msgspec.json.Decoder(Place)


def using(former: Sweep | None, model: ActiveModel, *, whole: bool = True) -> Sweep:
    """The sweep with which a model begins to decide; users leave every index except the model's.

    Args:
        former: the lane's sweep so far; None if there is none.
        model: the model that decides from now on.
        whole: the index of the model's space already holds all of the lane's users.
    """
    release = model.release
    others: set[str] = set()
    if former is not None:
        others = {former.space, *former.filling, *former.dropped} - {release.space}
    return Sweep(
        number=1 if former is None else former.number + 1,
        models_topic=model.topic_id,
        activation=model.activation,
        at=model.at,
        version=release.version,
        space=release.space,
        dropped=tuple(sorted(others)),
        whole=whole,
    )


def filling(former: Sweep, model: ActiveModel) -> Sweep:
    """The sweep that also fills the index of a model that does not decide yet.

    Returns ``former`` if it already writes this index.
    """
    space = model.release.space
    if space == former.space or space in former.filling:
        return former
    return replace(
        former,
        number=former.number + 1,
        filling={**former.filling, space: model.release.version},
        dropped=tuple(other for other in former.dropped if other != space),
    )


def has_index(place: Place, space: str) -> bool:
    """Whether the index of a space holds every user of the lane, and every save keeps it complete."""
    sweep = place.sweep
    if space == sweep.space:
        return sweep.whole or place.swept
    return place.swept and space in sweep.filling


def at_activation_of(place: Place, live: Place) -> Place | None:
    """The place with the activation of a lane that goes on from it; None if this activation is not later.

    A rebuild notes the release that was the newest when it began. Meanwhile the lane may have begun to decide
    by a later one, and it must not go back.
    """
    sweep, later = place.sweep, live.sweep
    if sweep.models_topic != later.models_topic or sweep.activation >= later.activation:
        return None
    return replace(
        place,
        step=place.step + 1,
        sweep=replace(
            later,
            number=sweep.number + 1,
            filling={},
            dropped=tuple(sorted({sweep.space, *sweep.filling, *sweep.dropped} - {later.space})),
            whole=has_index(place, later.space),
        ),
        swept=False,
    )


def keeps_index(place: Place, model: ActiveModel) -> bool:
    """Whether the lane has the index of a model that it knows, and keeps it until a later one decides."""
    sweep = place.sweep
    knows = sweep.by(model) or (sweep.models_topic, sweep.ready) == (model.topic_id, model.activation)
    return knows and has_index(place, model.release.space)


def encode(place: Place) -> bytes:
    """The stored bytes, which the save script compares; the same place always gives the same bytes."""
    return msgspec.json.encode(place, order="deterministic")


def decode(stored: bytes) -> Place:
    """The place in stored bytes.

    Raises:
        NewerFormat: a newer version wrote the place.
        NeedsRebuild: a mark is stored instead (:mod:`streamer.place.place_marks`), or the place cannot be
            read.
    """
    match mark_in(stored):
        case Refilling(what="bootstrap"):
            raise NeedsRebuild("a bootstrap of this Redis prefix did not end: run `segue bootstrap` again")
        case Refilling():
            raise NeedsRebuild("a rebuild of this Redis prefix did not end: run `segue rebuild` again")
        case Emptying():
            raise NeedsRebuild(
                "a worker empties this lane, to fold it again: run this command again when the lane is live"
            )
        case Moved(prefix=prefix):
            raise NeedsRebuild(f"the lane's states have moved: set redis_prefix to {prefix!r}")
    try:
        check_format(stored, "the lane's place")
        # Format 1 lacks ``formers`` and the number; the defaults mean the same.
        return replace(_decoder.decode(stored), format=NEWEST)
    except msgspec.DecodeError as error:
        raise NeedsRebuild(
            f"the lane's place in Redis cannot be read ({error}): rebuild the states with `segue rebuild`"
            " (docs/operations.md, code 7), or set another Redis prefix"
        ) from None


def readable(stored: bytes) -> Place | None:
    """The place in stored bytes; None if :func:`decode` would refuse them."""
    try:
        return decode(stored)
    except NeedsRebuild:
        return None
