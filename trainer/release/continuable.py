"""The settings that made a release, and the differences that stop other settings from continuing it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isclose
from typing import Literal, cast

from msgspec import UnsetType

from schemas.errors import NotContinued
from schemas.features import Feature, beyond_default, features_text, of_time
from schemas.release.model_release import OF_NUMBERS, EncodedFeature, ModelRelease
from trainer.steps.fit_settings import CategoryEncoding, FitSettings, Scaling
from trainer.steps.presets import ARTICLE, PRESETS, RECOMMENDED, RFM, reads_rfm

_Setting = Literal[
    "features", "declare", "encoding", "scaling", "components", "exclude_statuses", "time_zone"
]
# Settings that exist only on the command line.
_OPTIONS = ("encoding", "scaling", "components")


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between a release and settings.

    Attributes:
        setting: the setting that differs.
        what: the thing that differs, for people.
        there: its value in the release.
        here: its value in the settings.
    """

    setting: _Setting
    what: str
    there: str
    here: str


def settings_of(release: ModelRelease, features: tuple[Feature, ...]) -> FitSettings:
    """The settings that a release was made with, derived from its numbers.

    If a preset gives the same space, the settings are the preset's.

    Args:
        release: any release.
        features: the features of the new fit; some have an encoding of their own.
    """
    # Where all features are numbers, several presets give the same space; only rfm has features of its own.
    presets = [PRESETS[RFM]] if reads_rfm(features) else [PRESETS[ARTICLE], PRESETS[RECOMMENDED]]
    preset = next((preset for preset in presets if same_space(release, preset, features)), None)
    if preset is None:
        own = {feature.name for feature in features if feature.encoding is not None}
        kept = (each.encoding for each in release.features if each.name not in own)
        encoding = next((each for each in kept if each not in OF_NUMBERS), "label")
        shares = any(each.encoding == "one-hot" and each.codes for each in release.features)
        preset = replace(
            PRESETS[ARTICLE],
            encoding=cast(CategoryEncoding, encoding),  # which is that of a text
            rare=PRESETS[RECOMMENDED].rare if shares else 0.0,
            scaling=_scaling(release, "standard"),
        )
    return replace(
        preset,
        components=len(release.projection),
        k=len(release.segments),
        k_by="release",
        features=features,
        exclude_statuses=release.exclude_statuses,
    )


def same_space(release: ModelRelease, settings: FitSettings, features: tuple[Feature, ...]) -> bool:
    """Whether the release encodes and scales these features as the settings do."""
    asked = replace(settings, features=features)
    return not any(
        difference.setting in ("encoding", "scaling") for difference in differences(release, asked)
    )


def check_continues(release: ModelRelease, settings: FitSettings) -> None:
    """Refuse to continue a release that differs from the settings.

    Raises:
        NotContinued: the release differs. The message has each difference, its setting, and what to do.
    """
    found = list(differences(release, settings))
    if not found:
        return
    parts = "; ".join(f"{each.what} is {each.there} there and {each.here} here" for each in found)
    asking = list(dict.fromkeys(_asking(each, settings) for each in found))
    raise NotContinued(
        f"the current release {release.version} cannot be continued with {_named(asking, settings)}: "
        f"{parts}; {_fix(found, asking)}, or learn everything again with --refit-space; if it is the"
        " release of another shop, set another topic_prefix"
    )


def _fix(found: list[Difference], asking: list[str]) -> str:
    """The settings that continue the release: a training cannot take declarations and time zone from it."""
    if "declare" in asking:
        return "declare these features as the release has them"
    zones = [f"set time_zone to {each.there}" for each in found if each.setting == "time_zone"]
    others = [each for each in asking if each != "time_zone"]
    kept = [f"leave {' and '.join(others)} out to keep what the release has"] if others else []
    return " and ".join([*kept, *zones])


def _asking(difference: Difference, settings: FitSettings) -> str:
    """The setting to name for a difference: the preset, if its own value was not changed."""
    preset = PRESETS[settings.preset]
    unchanged = {
        "encoding": settings.encoding == preset.encoding,
        "scaling": settings.scaling == preset.scaling,
        "features": settings.preset == RFM and settings.features == preset.features,
    }
    return "preset" if unchanged.get(difference.setting) else difference.setting


def _named(asking: list[str], settings: FitSettings) -> str:
    words = {"preset": f"preset {settings.preset}", **{name: f"--{name}" for name in _OPTIONS}}
    return " and ".join(words.get(each, f"the setting {each}") for each in asking)


def differences(release: ModelRelease, settings: FitSettings) -> Iterator[Difference]:
    """Yield the differences between a release and settings, except the number of segments."""
    there, here = [feature.name for feature in release.features], list(settings.names)
    if there != here:
        yield Difference("features", "features", ", ".join(there), ", ".join(here))
    made = features_text(release.declared), features_text(beyond_default(settings.features))
    if made[0] != made[1] and set(there) == set(here):
        yield Difference("declare", "declare", *made)
    yield from _encodings(release, settings)
    scaling = _scaling(release, settings.scaling)
    if scaling != settings.scaling:
        yield Difference("scaling", "scaling", scaling, settings.scaling)
    if len(release.projection) != settings.components:
        yield Difference("components", "components", str(len(release.projection)), str(settings.components))
    statuses = _listed(release.exclude_statuses), _listed(settings.exclude_statuses)
    if statuses[0] != statuses[1]:
        yield Difference("exclude_statuses", "exclude_statuses", *statuses)
    zone = release.time_zone
    if of_time(settings.features) and not isinstance(zone, UnsetType) and zone != settings.time_zone:
        yield Difference("time_zone", "time_zone", zone, settings.time_zone)


def _encodings(release: ModelRelease, settings: FitSettings) -> Iterator[Difference]:
    """Yield one difference for all features that differ in the same way.

    How a number is read stands in its declaration; texts have settings of their own, too.
    """
    wanted = {feature.name: _encoding(feature, settings) for feature in settings.features}
    ways: dict[tuple[str, str, bool], list[str]] = {}
    for feature in release.features:
        there = f"quantile = {feature.quantile}" if feature.encoding == "quantile" else feature.encoding
        here = wanted.get(feature.name, there)
        if here != there:
            ways.setdefault((there, here, feature.encoding in OF_NUMBERS), []).append(feature.name)
    for (there, here, numeric), names in ways.items():
        setting: _Setting = "declare" if numeric else "encoding"
        yield Difference(setting, f"the encoding of {', '.join(names)}", there, here)


def _encoding(feature: Feature, settings: FitSettings) -> str:
    if not feature.numeric:
        return feature.encoding or settings.encoding
    if feature.quantile is not None:
        return f"quantile = {feature.quantile}"
    return "log" if feature.log else "number"


def _scaling(release: ModelRelease, wanted: Scaling) -> Scaling:
    """The scaling of the release; ``wanted`` if it would have given the same scales."""
    if all(scale == 1.0 for scale in release.scale):
        return "none"
    places = [
        place
        for place, feature in enumerate(_of_columns(release))
        # Two label codes are 0 and 1, so the column is an indicator, too.
        if feature.encoding == "one-hot" or (feature.encoding == "label" and len(feature.categories) == 2)
    ]
    if not places:
        return "standard" if wanted == "none" else wanted
    balanced = all(isclose(release.scale[place] ** 2, release.mean[place], rel_tol=1e-9) for place in places)
    return "balanced" if balanced else "standard"


def _of_columns(release: ModelRelease) -> Iterator[EncodedFeature]:
    """Yield the feature of each column."""
    for feature in release.features:
        yield from [feature] * feature.width


def _listed(statuses: tuple[str, ...]) -> str:
    return ", ".join(sorted(statuses)) or "none"
