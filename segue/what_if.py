"""The features of a user that is only thought of, under the rules of events."""

from __future__ import annotations

from collections.abc import Mapping

from schemas import checks
from schemas.changes import FeatureValue
from schemas.errors import BadEvent
from segue.usage import bad_option


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


def _checked(features: Mapping[str, FeatureValue], name: str, value: FeatureValue) -> FeatureValue:
    match name:
        case "age":
            return checks.age(features)
        case "total_orders":
            if isinstance(value, int) and value < 0:
                raise BadEvent(name, "give 0 or more")
            return value or None
        case _:
            return checks.text(features, name)
