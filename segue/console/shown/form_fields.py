"""The form of an imagined user: a field for each feature of the release. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from schemas.features import FEATURE_NAMES
from schemas.release.model_release import OF_NUMBERS, ModelRelease

_DECLARED = "feature."
_MOST_CHOICES = 500


class FormField(Struct, frozen=True):
    """One field.

    Attributes:
        name: the field's name in the form.
        label: the feature.
        value: the given text.
        is_number: whether the feature is a number.
        choices: the values that the training saw; none if there are too many for a page.
    """

    name: str
    label: str
    value: str
    is_number: bool
    choices: tuple[str, ...]


def form_fields(release: ModelRelease, given: Mapping[str, str]) -> tuple[FormField, ...]:
    """Return the fields, in the order of the release's features.

    Args:
        release: its features are asked for.
        given: the texts that were sent, by the field's name.
    """
    fields = []
    for feature in release.features:
        name = feature.name if feature.name in FEATURE_NAMES else f"{_DECLARED}{feature.name}"
        choices = feature.categories if len(feature.categories) <= _MOST_CHOICES else ()
        is_number = feature.encoding in OF_NUMBERS
        fields.append(FormField(name, feature.name, given.get(name, ""), is_number, choices))
    return tuple(fields)


def declared_of(release: ModelRelease, given: Mapping[str, str]) -> list[str]:
    """Return the declared features that were given, as texts such as ``name=value``."""
    names = [feature.name for feature in release.declared]
    return [f"{name}={text}" for name in names if (text := given.get(f"{_DECLARED}{name}", "").strip())]
