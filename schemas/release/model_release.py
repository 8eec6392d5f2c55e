"""A model release on the wire: all numbers and texts that a worker needs to score."""

import hashlib
from datetime import date
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from schemas.errors import BadRelease
from schemas.features import Feature

SCHEMA_VERSION = 1

Encoding = Literal["number", "log", "quantile", "label", "frequency", "one-hot"]
OF_NUMBERS: tuple[Encoding, ...] = ("number", "log", "quantile")
"""The encodings of a number; all others are of texts."""


class EncodedFeature(Struct, frozen=True):
    """How one feature becomes columns.

    ``number`` is a number x as it is. ``log`` is ln(1 + x), where x below 0 counts as missing. ``quantile``
    is the group of x: 1 up to the first of the ``borders``, 2 above it and up to the second, and so on. The
    training learned the borders for ``quantile`` groups of equal size; equal borders are one. Both fields are
    there only under ``quantile``.

    All encodings but ``one-hot`` give one column. ``one-hot`` gives one column for each category, or fewer if
    rare categories share a column. ``categories`` are the training values in the order of their UTF-8 bytes
    (empty for numbers). ``codes`` has one number for each category: 0, 1, 2… for ``label``, the share of
    training rows for ``frequency``, the column within the feature for ``one-hot`` with shared columns.
    ``codes`` is empty for numbers, and for ``one-hot`` without shared columns.
    """

    name: str
    encoding: Encoding
    categories: tuple[str, ...] = ()
    codes: tuple[float, ...] = ()
    # A release without them has the bytes, and so the version, that it had before they existed.
    quantile: int | UnsetType = UNSET
    borders: tuple[float, ...] | UnsetType = UNSET

    @property
    def cuts(self) -> tuple[float, ...]:
        """The borders of the groups, ascending; empty if there are none."""
        return () if isinstance(self.borders, UnsetType) else self.borders

    @property
    def width(self) -> int:
        """The number of columns of the feature."""
        return max(self.columns) + 1 if self.encoding == "one-hot" else 1

    @property
    def columns(self) -> tuple[int, ...]:
        """The column of each category, counted within the feature; only for ``one-hot``.

        >>> EncodedFeature("brand", "one-hot", ("Acme", "Bolt", "Cog"), (1.0, 0.0, 1.0)).columns
        (1, 0, 1)
        """
        return tuple(int(code) for code in self.codes) or tuple(range(len(self.categories)))


class Segment(Struct, frozen=True):
    """One segment: its id (never used for another segment), its name, and its centre (d components)."""

    id: int
    name: str
    centre: tuple[float, ...]
    size: int


class Training(Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """The data that the release was fitted on.

    ``as_of`` is an RFC 3339 time: only facts before it were read. ``from`` and ``to`` are the training
    window: only users with a counted order at or after ``from`` and before ``to`` trained. Null is no bound.
    ``rows_sha256`` is a hash over the training users' ids and features. If a release continues another
    release with the same hash, there is nothing new to learn. ``day`` is the date of the features of time, in
    the setting ``time_zone``; it is left out where no feature reads the day.
    """

    as_of: str | None
    users_read: int
    users_used: int
    rows_sha256: str
    start: str | None = None
    end: str | None = None
    day: date | UnsetType = UNSET

    @property
    def day_read(self) -> date | None:
        """The date of the features of time; None where no feature reads the day."""
        return None if isinstance(self.day, UnsetType) else self.day


class FeatureProfile(Struct, frozen=True):
    """How the training users are spread over the bins of one feature.

    ``counts`` has the users by bin. A number's bin begins above one of the ``ends``, and the next of the ends
    is its last number; the first and the last bin are open. A text has a bin for each of the ``values``, and
    a last bin for all others. ``chance`` is the index of chance alone, for a sample of
    :data:`schemas.release.stability_index.SAMPLE` users.
    """

    name: str
    counts: tuple[int, ...]
    chance: float
    ends: tuple[float, ...] = ()
    values: tuple[str, ...] = ()


class ModelRelease(Struct, frozen=True, kw_only=True):
    """One published model. It never changes, and its version is its name.

    With c columns, d components and k segments: ``mean`` and ``scale`` (c) belong to the scaler,
    ``projection_mean`` (c) and ``projection`` (d x c) to the PCA, and a segment's centre has d numbers.
    ``space`` names encoding, scaling and projection together: the components of releases with the same space
    can be compared. ``artifacts`` maps the files of the release's folder to their SHA-256. ``declared`` holds
    the features beyond the seven default ones, in the order of their names and without encodings.
    ``time_zone`` is the setting of the training, if a feature reads the day. It is left out if none does, and
    in releases that are older than this field.

    ``continues`` is the version of the release whose segment ids this release keeps; null if there is none.
    ``next_segment`` is the id of the next new segment; it is above every id in this and all earlier releases.

    ``profile`` is the spread of the training users, for a comparison with the users of today. It is left out
    if they are not comparable, because a training window chose them. It decides nothing, so the version does
    not depend on it.
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
    time_zone: str | UnsetType = UNSET
    declared: tuple[Feature, ...] = ()
    metrics: dict[str, float] = {}
    artifacts: dict[str, str] = {}
    artifacts_uri: str | None = None
    profile: tuple[FeatureProfile, ...] | UnsetType = UNSET


def space_of(release: ModelRelease) -> str:
    """Return the name of a release's space: 12 hex digits of a hash over encoding, scaling and projection.

    Raises:
        BadRelease: the release cannot be written, because a number is not finite.
    """
    read = _as_read(release)
    return _hash((read.features, read.declared, read.mean, read.scale, read.projection_mean, read.projection))


def version_of(release: ModelRelease) -> str:
    """Return the version of a release: 12 hex digits of a hash over its content, without files and profile.

    Raises:
        BadRelease: the release cannot be written, because a number is not finite.
    """
    content = msgspec.structs.replace(
        _as_read(release), version="", artifacts={}, artifacts_uri=None, profile=UNSET
    )
    return _hash(content)


def _as_read(release: ModelRelease) -> ModelRelease:
    """Return the release as a reader decodes it: a 2 in place of a 2.0 must not change the hash."""
    try:
        return msgspec.json.decode(msgspec.json.encode(release), type=ModelRelease)
    except msgspec.ValidationError as error:
        # JSON has no NaN and no infinity; they are written as null.
        raise BadRelease(f"a release cannot be written, a number in it is not finite: {error}") from None


def _hash(content: object) -> str:
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:12]
