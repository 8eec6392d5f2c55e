"""A short name for each segment, made from its users' differences from all users.

Names are for people; the id identifies a segment. A value becomes part of a name only if enough of the
segment's users have it. A rare brand may be ten times as frequent in a segment and still say nothing about
most of its users.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.features import Feature
from schemas.release.release_checks import MAX_NAME_BYTES
from trainer.controls.traits import Trait, Traits

LEAST_EFFECT = 0.1  # standard deviations
LEAST_SHARE = 0.1  # the share of the segment's users who have the value
_TRAITS = 2
_MOST = 0.5  # a value that fewer users have gets the word "often"
_WORDS_CHARACTERS = 30
_AGE, _ORDERS = ("younger", "older"), ("fewer orders", "more orders")
_GENDERS = {"F": "women", "M": "men"}


@dataclass(frozen=True, slots=True)
class _Part:
    effect: float
    place: int  # the index of the feature in the model
    words: str
    ours: bool  # the words are ours; False: a value from the shop's data, kept as it is


def name_segments(traits: Traits, features: Sequence[Feature]) -> list[str]:
    """The names of clusters 0, 1, 2…, all different; the same traits give the same names.

    Args:
        traits: the traits of the training users.
        features: the model's inputs.
    """
    names: list[str] = []
    for segment in traits.segments:
        names.append(_unused(_parts(segment, features), names))
    return names


def _parts(traits: Sequence[Trait], features: Sequence[Feature]) -> list[_Part]:
    """The parts of a name, at most one for each feature, the strongest first."""
    places = {feature.name: place for place, feature in enumerate(features)}
    found: dict[str, _Part] = {}
    for trait in traits:
        notable = abs(trait.effect) >= LEAST_EFFECT and (trait.value is None or trait.here >= LEAST_SHARE)
        if notable and trait.feature not in found:
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
    """The words for a segment with a lower mean, and for a segment with a higher mean."""
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
    """A name from the first parts; if another segment has it, with more parts or with a number."""
    for count in range(min(_TRAITS, len(parts)), len(parts) + 1):
        name = _joined(parts[:count])
        if name not in names and len(name.encode()) <= MAX_NAME_BYTES:
            return name
    base = _joined(parts[:_TRAITS])
    number = 2
    while f"{base} ({number})" in names:
        number += 1
    return f"{base} ({number})"


def _joined(parts: list[_Part]) -> str:
    # In the features' order, not by effect: the name then stays the same when two effects change places.
    ordered = sorted(parts, key=lambda part: part.place)
    if not ordered:
        return "Average"
    # Two features may have the same words: age, and a declared `last` of age.
    first, *others = dict.fromkeys(part.words for part in ordered)
    return ", ".join([first[0].upper() + first[1:] if ordered[0].ours else first, *others])


def _short(value: str) -> str:
    """The value on one line, cut, without invisible characters (controls, direction marks)."""
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in value).split()) or "(unreadable)"
    return text if len(text) <= _WORDS_CHARACTERS else text[: _WORDS_CHARACTERS - 1].rstrip() + "…"
