"""Checks the features of an imagined user by the rules for events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan

from schemas.errors import BadEvent
from schemas.features import Feature
from schemas.inputs import field_checks
from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import ModelRelease
from segue.config.command_line import bad_option

_WHOLE = frozenset({"count", "days_since", "distinct"})
_MEASURED = frozenset({"interval", "mean", "sum"})


def check_features(features: Mapping[str, str | None]) -> dict[str, FeatureValue]:
    """Return the features as an event would contain them: a blank text is missing, 25.0 is 25.

    Args:
        features: the options' texts by default feature; None for an option that was not given.

    Raises:
        BadUsage: an event may not contain such a value.
    """
    values: dict[str, FeatureValue] = {}
    for name, value in features.items():
        try:
            values[name] = _checked(features, name)
        except BadEvent as error:
            raise bad_option(f"--{name.replace('_', '-')}", value, error.problem) from None
    return values


def features_for(
    release: ModelRelease, features: Mapping[str, str | None], declared: Sequence[str]
) -> dict[str, FeatureValue]:
    """Return all features of an imagined user that this release scores.

    Args:
        release: the release that scores.
        features: as for :func:`check_features`.
        declared: as for :func:`parse_declared`.

    Raises:
        BadUsage: a value cannot be used, or the release does not read the feature.
    """
    values = check_features(features)
    read = [feature.name for feature in release.features]
    for name, text in features.items():
        if text is not None and text.strip() and name not in read:
            fix = f"release {release.version} does not read it; its features are {', '.join(read)}"
            raise bad_option(f"--{name.replace('_', '-')}", text, fix)
    return values | parse_declared(declared, release.declared)


def parse_declared(options: Sequence[str], declared: Sequence[Feature]) -> dict[str, FeatureValue]:
    """Parse values of declared features.

    Args:
        options: texts such as ``name=value``.
        declared: the release's declared features, without the seven default ones.

    Returns:
        The values by feature.

    Raises:
        BadUsage: a feature is unknown to the release, or a value does not fit its feature.
    """
    known = {feature.name: feature for feature in declared}
    values: dict[str, FeatureValue] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or name not in known:
            names = ", ".join(known) or "none: its features have options of their own"
            raise bad_option(
                "--feature", option, f"write NAME=VALUE, with one of the release's features ({names})"
            )
        try:
            values[name] = _declared_value(known[name], value)
        except BadEvent as error:
            raise bad_option("--feature", option, error.problem) from None
    return values


def _declared_value(feature: Feature, text: str) -> FeatureValue:
    if not feature.numeric:
        return field_checks.text({feature.name: text}, feature.name)
    if feature.boolean:
        answer = field_checks.boolean({feature.name: text}, feature.name)
        return None if answer is None else answer == "true"
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise BadEvent(feature.name, f"{feature.name} is a number, and {field_checks.shown(text)} is none")
    if feature.kind in _WHOLE and not number.is_integer():
        raise BadEvent(
            feature.name, f"{feature.name} is a whole number, and {field_checks.shown(text)} is none"
        )
    return int(number) if number.is_integer() and feature.kind not in _MEASURED else number


def _checked(features: Mapping[str, str | None], name: str) -> FeatureValue:
    text = features[name]
    match name:
        case "age":
            return None if text is None else _age(text)
        case "total_orders":
            return None if text is None else _total_orders(text)
        case _:
            return field_checks.text(features, name)


def _age(text: str) -> FeatureValue:
    try:
        return field_checks.age({"age": float(text)})
    except (ValueError, BadEvent):
        raise BadEvent("age", f"give a number from 0 to {field_checks.MAX_AGE}") from None


def _total_orders(text: str) -> FeatureValue:
    try:
        number = int(text)
    except ValueError:
        raise BadEvent("total_orders", "give a whole number") from None
    if number < 0:
        raise BadEvent("total_orders", "give 0 or more")
    return number or None
