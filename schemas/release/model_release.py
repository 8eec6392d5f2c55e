"""A model release on the wire: everything that a worker needs to score, as numbers and text."""

import hashlib
from typing import Literal

import msgspec
from msgspec import Struct

from schemas.errors import BadRelease
from schemas.features import Feature

SCHEMA_VERSION = 1

Encoding = Literal["number", "label", "frequency", "one-hot"]


class EncodedFeature(Struct, frozen=True):
    """How one feature becomes columns.

    ``number`` and a label or frequency encoded category give one column, ``one-hot`` one a category, or fewer
    where rare ones share a column. ``categories`` are the training values in the order of their UTF-8 bytes
    (empty for ``number``); ``codes`` are their numbers, one each: 0, 1, 2… for ``label``, the share of
    training rows for ``frequency``, the column among the feature's own for ``one-hot`` where some share
    one, else empty; empty for ``number``.
    """

    name: str
    encoding: Encoding
    categories: tuple[str, ...] = ()
    codes: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """The number of columns."""
        return max(self.columns) + 1 if self.encoding == "one-hot" else 1

    @property
    def columns(self) -> tuple[int, ...]:
        """The column of each category among the feature's own; for ``one-hot`` alone.

        >>> EncodedFeature("brand", "one-hot", ("Acme", "Bolt", "Cog"), (1.0, 0.0, 1.0)).columns
        (1, 0, 1)
        """
        return tuple(int(code) for code in self.codes) or tuple(range(len(self.categories)))


class Segment(Struct, frozen=True):
    """One segment: its stable id (never used again for another), name, and centre (shape: components)."""

    id: int
    name: str
    centre: tuple[float, ...]
    size: int


class Training(Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """What the release was fitted on.

    ``as_of`` is an RFC 3339 time: only facts before it were read. ``start`` and ``end`` (``from`` and ``to``
    on the wire) are the training window: only users with a counted order at or after the one and before
    the other trained. Null is no bound. ``rows_sha256`` is a hash over the training
    users' ids and features: a release that continues another one with the same hash has nothing to learn.
    """

    as_of: str | None
    users_read: int
    users_used: int
    rows_sha256: str
    start: str | None = None
    end: str | None = None


class ModelRelease(Struct, frozen=True, kw_only=True):
    """One published model, immutable, named by its version.

    With c columns, d components and k segments: ``mean`` and ``scale`` (c) are the scaler's,
    ``projection_mean`` (c) and ``projection`` (d x c) the PCA's, and a segment's centre has d numbers.
    ``space`` names encoding, scaling and projection together: releases with one space have
    comparable components. ``artifacts`` maps the files of the release's folder to their SHA-256.
    ``declared`` says how the features beyond the article's seven are made, by name and without encodings.

    ``continues`` is the version of the release whose segments keep their ids in this one; None for a first
    one. ``next_segment`` is above every id that was given so far, here or in any release before: the id that
    the next new segment gets.
    """

    schema_version: int = SCHEMA_VERSION
    version: str
    space: str
    features: tuple[EncodedFeature, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    projection_mean: tuple[float, ...]
    projection: tuple[tuple[float, ...], ...]
    segments: tuple[Segment, ...]
    next_segment: int
    continues: str | None = None
    training: Training
    exclude_statuses: tuple[str, ...] = ()
    declared: tuple[Feature, ...] = ()
    metrics: dict[str, float] = {}
    artifacts: dict[str, str] = {}
    artifacts_uri: str | None = None


def space_of(release: ModelRelease) -> str:
    """The name of a release's space: 12 hex digits of a hash over encoding, scaling and projection.

    Raises:
        BadRelease: the release cannot be written, because a number is not finite.
    """
    read = _as_read(release)
    return _hash((read.features, read.declared, read.mean, read.scale, read.projection_mean, read.projection))


def version_of(release: ModelRelease) -> str:
    """The name of a release: 12 hex digits of a hash over its content, but not where its files lie.

    Raises:
        BadRelease: the release cannot be written, because a number is not finite.
    """
    return _hash(msgspec.structs.replace(_as_read(release), version="", artifacts={}, artifacts_uri=None))


def _as_read(release: ModelRelease) -> ModelRelease:
    """The release as its readers have it: a 2 that stands where a 2.0 belongs must not change the hash."""
    try:
        return msgspec.json.decode(msgspec.json.encode(release), type=ModelRelease)
    except msgspec.ValidationError as error:
        # JSON has no NaN and no infinity: they are written as null.
        raise BadRelease(f"a release cannot be written, a number in it is not finite: {error}") from None


def _hash(content: object) -> str:
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:12]
