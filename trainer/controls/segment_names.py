"""A short name for each segment, made from what sets its users apart from all others.

Names are for people; the id is what identifies a segment. A value names a segment only where enough of its users
have it: the rare brand that is ten times as common there says nothing about the other users.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.features import Feature
from schemas.release.release_checks import MAX_NAME_BYTES
from trainer.controls.traits import Trait, Traits

LEAST_EFFECT = 0.1  # standard deviations
LEAST_SHARE = 0.1  # of the segment's users who have a value
_TRAITS = 2
_MOST = 0.5  # a value that fewer users have is "often" theirs
_WORDS_CHARACTERS = 30
_AGE, _ORDERS = ("younger", "older"), ("fewer orders", "more orders")
_GENDERS = {"F": "women", "M": "men"}


@dataclass(frozen=True, slots=True)
class _Part:
    effect: float
    place: int  # of the feature among the model's
    words: str
    ours: bool  # and no value of the shop's, which stays as it is written there


def name_segments(traits: Traits, features: Sequence[Feature]) -> list[str]:
    """The names of clusters 0, 1, 2…, all different; the same traits give the same names.

    Args:
        traits: of the training users.
        features: the model's inputs.
    """
    names: list[str] = []
    for segment in traits.segments:
        names.append(_unused(_parts(segment, features), names))
    return names


def _parts(traits: Sequence[Trait], features: Sequence[Feature]) -> list[_Part]:
    """One part a feature at most, the strongest first."""
    places = {feature.name: place for place, feature in enumerate(features)}
    found: dict[str, _Part] = {}
    for trait in traits:
        telling = abs(trait.effect) >= LEAST_EFFECT and (trait.value is None or trait.here >= LEAST_SHARE)
        if telling and trait.feature not in found:
            place = places[trait.feature]
            found[trait.feature] = _part(trait, features[place], place)
    return list(found.values())


def _part(trait: Trait, feature: Feature, place: int) -> _Part:
    if trait.value is None:
        return _Part(abs(trait.effect), place, _number_words(feature)[trait.effect > 0], ours=True)
    known = _GENDERS.get(trait.value) if feature.source == "gender" else None
    words = known or _short(trait.value)
    often = trait.here < _MOST
    return _Part(trait.effect, place, f"often {words}" if often else words, ours=often or known is not None)


def _number_words(feature: Feature) -> tuple[str, str]:
    """What a segment with less of it is called, and one with more."""
    if feature.source == "age":
        return _AGE
    if feature.kind == "count":
        return _ORDERS
    name = feature.name.replace("_", " ")
    return (
        (f"fewer {name}", f"more {name}")
        if feature.kind == "distinct"
        else (f"lower {name}", f"higher {name}")
    )


def _unused(parts: list[_Part], names: list[str]) -> str:
    """The leading parts, with more of them or a number where another segment has that name."""
    for count in range(min(_TRAITS, len(parts)), len(parts) + 1):
        name = _said(parts[:count])
        if name not in names and len(name.encode()) <= MAX_NAME_BYTES:
            return name
    base = _said(parts[:_TRAITS])
    number = 2
    while f"{base} ({number})" in names:
        number += 1
    return f"{base} ({number})"


def _said(parts: list[_Part]) -> str:
    # In the features' order and not by effect: the name stays when two effects change places.
    ordered = sorted(parts, key=lambda part: part.place)
    if not ordered:
        return "Average"
    # Two features may say the same: age, and a declared `last` of it.
    first, *others = dict.fromkeys(part.words for part in ordered)
    return ", ".join([first[0].upper() + first[1:] if ordered[0].ours else first, *others])


def _short(value: str) -> str:
    """On one line, without what cannot be seen (controls, marks that turn the direction of the text)."""
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in value).split()) or "(unreadable)"
    return text if len(text) <= _WORDS_CHARACTERS else text[: _WORDS_CHARACTERS - 1].rstrip() + "…"
