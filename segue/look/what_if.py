"""The features of a user that is only thought of, under the rules of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan

from schemas.errors import BadEvent
from schemas.features import Feature
from schemas.inputs import field_checks
from schemas.outputs.segment_change import FeatureValue
from segue.config.command_line import bad_option


def checked(features: Mapping[str, FeatureValue]) -> dict[str, FeatureValue]:
    """The features as an event would bring them: a blank text is missing, 25.0 is 25.

    Raises:
        BadUsage: no event could bring such a value.
    """
    told: dict[str, FeatureValue] = {}
    for name, value in features.items():
        try:
            told[name] = _checked(features, name, value)
        except BadEvent as error:
            raise bad_option(f"--{name.replace('_', '-')}", value, error.problem) from None
    return told


def of_declared(options: Sequence[str], declared: Sequence[Feature]) -> dict[str, FeatureValue]:
    """Values of declared features, each given as ``name=value``.

    Args:
        options: as they were written.
        declared: the features beyond the article's seven that a release knows.

    Raises:
        BadUsage: a feature is none of these, or the value is none for it.
    """
    known = {feature.name: feature for feature in declared}
    told: dict[str, FeatureValue] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or name not in known:
            names = ", ".join(known) or "none: its features have options of their own"
            raise bad_option(
                "--feature", option, f"write NAME=VALUE, with one of the release's features ({names})"
            )
        try:
            told[name] = _declared_value(known[name], value)
        except BadEvent as error:
            raise bad_option("--feature", option, error.problem) from None
    return told


def _declared_value(feature: Feature, text: str) -> FeatureValue:
    if not feature.numeric:
        return field_checks.text({feature.name: text}, feature.name)
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise BadEvent(feature.name, f"{feature.name} is a number, and {field_checks.shown(text)} is none")
    return number


def _checked(features: Mapping[str, FeatureValue], name: str, value: FeatureValue) -> FeatureValue:
    match name:
        case "age":
            return field_checks.age(features)
        case "total_orders":
            if isinstance(value, int) and value < 0:
                raise BadEvent(name, "give 0 or more")
            return value or None
        case _:
            return field_checks.text(features, name)
