"""Encode and decode changes and releases: compact JSON in UTF-8."""

import msgspec
from msgspec import Struct

from schemas.errors import BadChange, BadRelease
from schemas.outputs.segment_change import Change, SegmentChange, UserErasedChange
from schemas.release import release_checks
from schemas.release.model_release import SCHEMA_VERSION, ModelRelease

_ENCODER = msgspec.json.Encoder()


class _Kind(Struct):
    kind: str


class _SchemaVersion(Struct):
    schema_version: int


_KIND = msgspec.json.Decoder(_Kind)
_SEGMENT_CHANGE = msgspec.json.Decoder(SegmentChange)
_USER_ERASED_CHANGE = msgspec.json.Decoder(UserErasedChange)
_SCHEMA_VERSION = msgspec.json.Decoder(_SchemaVersion)
_RELEASE = msgspec.json.Decoder(ModelRelease)


def encode_change(change: Change) -> bytes:
    """Return the value of a change's record on ``segment-changes`` or ``user-segments``."""
    return _ENCODER.encode(change)


def decode_change(value: bytes) -> Change:
    """Decode the value of :func:`encode_change`; the field ``kind`` decides the type. Ignore unknown fields.

    Raises:
        BadChange: the value is no change that this version can read.
    """
    try:
        if _KIND.decode(value).kind == "erased":
            return _USER_ERASED_CHANGE.decode(value)
        return _SEGMENT_CHANGE.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadChange(
            f"a segment change cannot be read: {error}; was it written by Segue, and by this version?"
        ) from None


def encode_release(release: ModelRelease) -> bytes:
    """Return the value of a release's record on ``segment-models``.

    Raises:
        BadRelease: no worker could read the release; see :func:`decode_release`.
    """
    value = _ENCODER.encode(release)
    # Decoding finds a number that is not finite (written as null) and a name that does not match the content.
    decode_release(value)
    return value


def decode_release(value: bytes) -> ModelRelease:
    """Decode and check the value of :func:`encode_release`; nothing checks the release again.

    Raises:
        BadRelease: the value is no release, has another schema version, or fails a check of
            :mod:`schemas.release.release_checks`.
    """
    try:
        schema_version = _SCHEMA_VERSION.decode(value).schema_version
        if schema_version != SCHEMA_VERSION:
            raise BadRelease(
                f"a release has schema version {schema_version}, but this version of Segue reads"
                f" {SCHEMA_VERSION}: run the Segue that wrote it, or publish the model again"
            )
        release = _RELEASE.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRelease(f"a release cannot be read: {error}; publish it again") from None
    release_checks.check_features(release)
    release_checks.check_shapes(release)
    release_checks.check_names(release)
    return release
