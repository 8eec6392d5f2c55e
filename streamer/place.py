"""A lane's place: how far Redis has come in the lane, and under which settings."""

import msgspec
from msgspec import Struct

from schemas.errors import NeedsRebuild
from schemas.features import Feature
from schemas.partition import Partitioner

_UNFINISHED = "a bootstrap was begun"


class FoldSettings(Struct, frozen=True):
    """The settings that change what the fold makes of a log; a place made under others is refused.

    ``declared`` are the features beyond the article's seven (:func:`schemas.features.beyond_default`).
    """

    partitions: int
    exclude_statuses: tuple[str, ...] = ()
    partitioner: Partitioner = "murmur2"
    declared: tuple[Feature, ...] = ()


class Sweep(Struct, frozen=True):
    """An activation that the lane has come to: the offset ``activation`` in the topic of releases with
    the id ``models_topic``. ``number`` counts the lane's activations, in the order in which it came to them.
    """

    number: int
    models_topic: str
    activation: int


class Place(Struct, frozen=True):
    """The next offset of each input and of ``user-segments`` in this lane, with the topics' ids.

    ``step`` counts the lane's saves and ``writer`` names the takeover that saved, so that no two saves
    leave the same bytes. ``sweep`` is the newest activation that decided for the lane.
    """

    step: int
    writer: str
    positions: dict[str, int]
    topic_ids: dict[str, str]
    settings: FoldSettings
    sweep: Sweep


def sweep_of(former: Place | None, models_topic: str, activation: int) -> Sweep:
    """The sweep of an activation: the former place's, or the next where that one is of another."""
    number = 0 if former is None else former.sweep.number
    if former is not None and former.sweep == Sweep(number, models_topic, activation):
        return former.sweep
    return Sweep(number + 1, models_topic, activation)


def unfinished(writer: str) -> bytes:
    """What stands in the place where a bootstrap was begun and not ended, so that no worker takes its
    states for whole. It names the bootstrap, so that a later one locks it out.
    """
    return msgspec.json.encode(f"{_UNFINISHED}: {writer}")


def is_unfinished(stored: bytes | None) -> bool:
    """Whether a stored place says that a bootstrap did not end."""
    return stored is not None and stored.startswith(f'"{_UNFINISHED}'.encode())


def encode(place: Place) -> bytes:
    """The bytes that the save script compares: the same place gives the same bytes."""
    return msgspec.json.encode(place, order="deterministic")


def decode(stored: bytes) -> Place:
    """Read a stored place.

    Raises:
        NeedsRebuild: a bootstrap did not end, or the place is of a form that this version does not know.
    """
    if is_unfinished(stored):
        raise NeedsRebuild("a bootstrap of this Redis prefix did not end: run `segue bootstrap` again")
    try:
        return msgspec.json.decode(stored, type=Place)
    except msgspec.DecodeError as error:
        raise NeedsRebuild(
            f"the lane's place in Redis cannot be read ({error}): rebuild the states (docs/operations.md, code 7), or set another Redis prefix"
        ) from None
