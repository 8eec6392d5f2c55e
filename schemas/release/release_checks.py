"""The checks that a release must pass before it scores; each error names the field."""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from msgspec import UNSET, UnsetType

from schemas.errors import BadRelease, BadSetting
from schemas.features import QUANTILES, RFM, Feature, beyond_default, declared, features_text, left_out
from schemas.release.model_release import OF_NUMBERS, EncodedFeature, ModelRelease, space_of, version_of

# A score multiplies a number by a weight and by a centre, and divides by a scale. Four factors of this size
# and a million columns stay far below the largest double (1.8e308).
LARGEST = 1e50
SMALLEST_SCALE = 1e-50
# Every change and every user's state carries its segment's name.
MAX_NAME_BYTES = 1_024


def check_names(release: ModelRelease) -> None:
    """Refuse a release whose ``version`` or ``space`` does not match its content.

    Raises:
        BadRelease: its content was changed after it was named.
    """
    for name, stated, computed in (
        ("version", release.version, version_of(release)),
        ("space", release.space, space_of(release)),
    ):
        if stated != computed:
            raise BadRelease(
                f"release {release.version!r} was changed: {name} is {stated!r}, but its content has"
                f" {computed!r}; publish it again from its folder"
            )


def check_features(release: ModelRelease) -> None:
    """Refuse a release with an unknown feature, or with the wrong encoding of a feature.

    Raises:
        BadRelease: a feature is unknown, a number is encoded, or a category is not encoded.
    """
    try:
        known = {feature.name: feature.numeric for feature in declared(release.declared)}
    except BadSetting as error:
        raise _bad(release, "declared", f"is wrong ({error})") from None
    for feature in release.features:
        name = f"features[{feature.name}]"
        numeric = known.get(feature.name)
        if numeric is None:
            raise _bad(release, name, f"is none of the features {', '.join(known)}")
        if numeric != (feature.encoding in OF_NUMBERS):
            kind = "a number" if numeric else "a category"
            raise _bad(release, f"{name}.encoding", f"is {feature.encoding}, but the feature is {kind}")


def check_declared(release: ModelRelease, features: tuple[Feature, ...]) -> None:
    """Refuse a release whose features a worker computes in another way.

    Args:
        release: the release to check.
        features: the features that the worker computes.

    Raises:
        BadRelease: the worker does not compute a feature, or computes it from another source.
    """
    absent = {feature.name for feature in release.features}.intersection(left_out(features))
    if absent:
        names = ", ".join(sorted(absent))
        raise BadRelease(
            f"release {release.version!r} reads {names}, which the setting features leaves out: add it there,"
            " or publish another release"
        )
    ours = {feature.name: feature for feature in beyond_default(features)}
    for feature in release.declared:
        if ours.get(feature.name) != feature:
            kind = "" if feature.type is None else f', type = "{feature.type}"'
            as_declared = f'{feature.name} = {{ kind = "{feature.kind}", source = "{feature.source}"{kind} }}'
            known = ours.get(feature.name)
            ours_as = "lacks" if known is None else f"has as {features_text([known]).partition(' = ')[2]}"
            fix = "set the preset rfm" if feature in beyond_default(RFM) else "declare it in that way"
            raise BadRelease(
                f"release {release.version!r} was trained with {as_declared}, which the setting declare"
                f" {ours_as}: {fix}, or publish another release"
            )


def check_statuses(release: ModelRelease, exclude_statuses: frozenset[str]) -> None:
    """Refuse a release that was trained with other ``exclude_statuses`` than the worker's.

    Raises:
        BadRelease: the statuses differ.
    """
    trained = frozenset(release.exclude_statuses)
    if trained != exclude_statuses:
        raise BadRelease(
            f"release {release.version!r} was trained with exclude_statuses {sorted(trained)}, but the"
            f" setting is {sorted(exclude_statuses)}: set it to that, or publish a release that was trained"
            " with yours"
        )


def check_time_zone(release: ModelRelease, time_zone: str) -> None:
    """Refuse a release whose features of time were made in another ``time_zone`` than the worker's.

    A release without ``time_zone`` passes: it has no features of time, or is older than the field.

    Raises:
        BadRelease: the time zones differ.
    """
    if not isinstance(release.time_zone, UnsetType) and release.time_zone != time_zone:
        raise BadRelease(
            f"release {release.version!r} was trained with time_zone {release.time_zone!r}, but the setting"
            f" is {time_zone!r}: set it to that, or publish a release that was trained with yours"
        )


def check_shapes(release: ModelRelease) -> None:
    """Refuse a release that cannot score.

    Its shapes do not fit together, or a number is not finite, or a score could overflow: a number is too
    large, or a scale too small.

    Raises:
        BadRelease: the message names the field and what it should have.
    """
    columns = 0
    for feature in release.features:
        _check_feature(release, feature)
        columns += feature.width
    if not columns:
        raise _bad(release, "features", "names no feature")
    for name in ("mean", "scale", "projection_mean"):
        _check_numbers(release, name, getattr(release, name), columns, "one a column")
    if min(release.scale) < SMALLEST_SCALE:
        raise _bad(release, "scale", f"holds {min(release.scale)}, but a scale is at least {SMALLEST_SCALE}")
    if not release.projection:
        raise _bad(release, "projection", "has no component")
    for axis in release.projection:
        _check_numbers(release, "projection", axis, columns, "one a column")
    _check_segments(release)
    _check_distinct(release, "features", [feature.name for feature in release.features])
    _check_profile(release)


def _check_profile(release: ModelRelease) -> None:
    """A worker compares its users with the profile, so each bin needs its number of users."""
    if isinstance(release.profile, UnsetType):
        return
    known = {feature.name for feature in release.features}
    for profile in release.profile:
        name = f"profile[{profile.name}]"
        if profile.name not in known:
            raise _bad(release, name, "is of no feature of the release")
        if len(profile.counts) != max(len(profile.ends), len(profile.values)) + 1:
            raise _bad(
                release, f"{name}.counts", f"has {len(profile.counts)} bins, and not those of its ends"
            )
        if min(profile.counts) < 0 or sum(profile.counts) == 0:
            raise _bad(release, f"{name}.counts", "has no users, or fewer than none in a bin")


def _check_segments(release: ModelRelease) -> None:
    if not release.segments:
        raise _bad(release, "segments", "names no segment")
    for segment in release.segments:
        name = f"segments[id={segment.id}]"
        if segment.id < 0:
            raise _bad(release, f"{name}.id", "is below 0")
        if len(segment.name.encode()) > MAX_NAME_BYTES:
            raise _bad(release, f"{name}.name", f"has more than {MAX_NAME_BYTES:,} bytes of UTF-8")
        _check_numbers(release, f"{name}.centre", segment.centre, len(release.projection), "one a component")
    ids = [segment.id for segment in release.segments]
    _check_distinct(release, "segments", ids)
    if release.next_segment <= max(ids):
        raise _bad(
            release, "next_segment", f"is {release.next_segment}, but must be above every segment's id"
        )


def _check_feature(release: ModelRelease, feature: EncodedFeature) -> None:
    name = f"features[{feature.name}]"
    has_categories, has_codes = feature.encoding not in OF_NUMBERS, feature.encoding in ("label", "frequency")
    shares_columns = feature.encoding == "one-hot" and bool(feature.codes)
    if bool(feature.categories) != has_categories:
        raise _bad(release, f"{name}.categories", "is empty" if has_categories else "must be empty")
    _check_distinct(release, f"{name}.categories", feature.categories)
    expected = len(feature.categories) if has_codes or shares_columns else 0
    _check_numbers(release, f"{name}.codes", feature.codes, expected, f"by its encoding {feature.encoding}")
    _check_groups(release, feature, name)
    columns = set(feature.codes)
    if shares_columns and columns != set(range(len(columns))):
        raise _bad(release, f"{name}.codes", "must be columns, numbered from 0 without gaps")


def _check_groups(release: ModelRelease, feature: EncodedFeature, name: str) -> None:
    if feature.encoding != "quantile":
        for field in ("quantile", "borders"):
            if getattr(feature, field) is not UNSET:
                raise _bad(release, f"{name}.{field}", "is only for the encoding quantile")
        return
    if isinstance(feature.quantile, UnsetType) or feature.quantile not in QUANTILES:
        problem = f"must be there, from {QUANTILES[0]} to {QUANTILES[-1]}"
        raise _bad(release, f"{name}.quantile", problem)
    borders = feature.cuts
    if not 1 <= len(borders) < feature.quantile:
        raise _bad(
            release, f"{name}.borders", f"has {len(borders)} numbers, but needs 1 to quantile less one"
        )
    _check_numbers(release, f"{name}.borders", borders, len(borders), "")
    if any(low >= high for low, high in pairwise(borders)):
        raise _bad(release, f"{name}.borders", "must ascend")


def _check_numbers(
    release: ModelRelease, name: str, numbers: Sequence[float], expected: int, why: str
) -> None:
    if len(numbers) != expected:
        raise _bad(release, name, f"has {len(numbers)} numbers, but should have {expected}, {why}")
    for number in numbers:
        if not isfinite(number):
            raise _bad(release, name, f"holds {number}, which is no finite number")
        if abs(number) > LARGEST:
            raise _bad(release, name, f"holds {number}, which is beyond {LARGEST}")


def _check_distinct(release: ModelRelease, name: str, values: Sequence[object]) -> None:
    if len(set(values)) < len(values):
        raise _bad(release, name, "has a duplicate")


def _bad(release: ModelRelease, name: str, problem: str) -> BadRelease:
    return BadRelease(
        f"release {release.version!r} cannot be scored with: {name} {problem}; publish another one"
    )
