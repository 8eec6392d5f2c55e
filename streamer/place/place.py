"""A lane's place: how far Redis has come in the lane, and under which settings."""

from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import NeedsRebuild
from schemas.features import Feature
from schemas.partitioner import Partitioner
from streamer.interfaces.lane_interfaces import Former
from streamer.place.place_marks import Emptying, Moved, Refilling, mark_in
from streamer.segment.active_model import ActiveModel
from streamer.user.stored_formats import NEWEST, check_format


class FoldSettings(Struct, frozen=True):
    """The settings that change what the fold makes of a log; a place made under others is refused.

    ``declared`` are the features beyond the article's seven (:func:`schemas.features.beyond_default`).
    """

    partitions: int
    exclude_statuses: tuple[str, ...] = ()
    partitioner: Partitioner = "murmur2"
    declared: tuple[Feature, ...] = ()
    rekey: bool = False


class Sweep(Struct, frozen=True):
    """What decides the lane's users, and which indexes it writes; ``number`` counts them.

    The activation: the offset ``activation`` in the topic of releases with the id ``models_topic``, its time ``at``,
    and the release's ``version`` and ``space``. ``filling`` names other spaces whose index is written too, each with the
    version of a release of it; ``dropped`` those whose index the lane's users leave.
    ``whole`` is whether the index of ``space`` held all of the lane's users when the sweep began.
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

    def by(self, model: ActiveModel) -> bool:
        """Whether this activation decides."""
        return (self.models_topic, self.activation) == (model.topic_id, model.activation)


class Place(Struct, frozen=True):
    """The next offset of each input and of ``user-segments`` in this lane, with the topics' ids.

    ``step`` counts the lane's saves and ``writer`` names the takeover that saved, so that no two saves
    leave the same bytes. ``sweep`` is the lane's newest, ``swept`` whether it has come to all of the lane's users.
    ``formers`` are the inputs' topics before those of now, as far as the lane has read of them.
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


# Made once, and before there are threads: msgspec learns a type when it first needs it, and two lanes that make it
# do so at once crash the process.
_decoder = msgspec.json.Decoder(Place)


def using(former: Sweep | None, model: ActiveModel, *, whole: bool = True) -> Sweep:
    """The sweep with which a model begins to decide: every index but its own is left."""
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
    """The sweep that fills the index of a model that does not decide yet; the former one where it does so."""
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
    """Whether the index of a space holds every user of the lane, and every save keeps it so."""
    sweep = place.sweep
    if space == sweep.space:
        return sweep.whole or place.swept
    return place.swept and space in sweep.filling


def encode(place: Place) -> bytes:
    """The bytes that the save script compares: the same place gives the same bytes."""
    return msgspec.json.encode(place, order="deterministic")


def decode(stored: bytes) -> Place:
    """Read a stored place.

    Raises:
        NewerFormat: a newer version wrote it.
        NeedsRebuild: a mark stands there (:mod:`streamer.place.place_marks`), or the place cannot be read.
    """
    match mark_in(stored):
        case Refilling(what="bootstrap"):
            raise NeedsRebuild("a bootstrap of this Redis prefix did not end: run `segue bootstrap` again")
        case Refilling():
            raise NeedsRebuild("a rebuild of this Redis prefix did not end: run `segue rebuild` again")
        case Emptying():
            raise NeedsRebuild("a worker empties this lane, to fold it again: run the same when it is live")
        case Moved(prefix=prefix):
            raise NeedsRebuild(f"the lane's states have moved: set redis_prefix to {prefix!r}")
    try:
        check_format(stored, "the lane's place")
        # Format 1 lacks ``formers`` and the number, and says the same without.
        return replace(_decoder.decode(stored), format=NEWEST)
    except msgspec.DecodeError as error:
        raise NeedsRebuild(
            f"the lane's place in Redis cannot be read ({error}): rebuild the states with `segue rebuild` (docs/operations.md, code 7), or set another Redis prefix"
        ) from None


def readable(stored: bytes) -> Place | None:
    """The place; None where :func:`decode` would refuse it."""
    try:
        return decode(stored)
    except NeedsRebuild:
        return None
