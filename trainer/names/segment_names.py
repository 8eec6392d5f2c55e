"""A short name for each segment, made from its users' differences from all users.

Names are for people; the id identifies a segment. A narrow table cuts a long name, so a name has at most
MAX_CHARACTERS characters. A value becomes part of a name only if enough of the segment's users have it. A
rare brand may be ten times as frequent in a segment and still say nothing about most of its users.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from schemas.features import FIRST_ORDER, LAST_ORDER, SIGNUP, Feature
from trainer.controls.traits import Trait, Traits

MAX_CHARACTERS = 24
LEAST_EFFECT = 0.1  # standard deviations
LEAST_SHARE = 0.1  # the share of the segment's users who have the value
_MOST = 0.5  # a value that fewer users have gets the word "often"
_AGE, _ORDERS = ("younger", "older"), ("fewer orders", "more orders")
_GENDERS = {"F": "women", "M": "men"}
_DAYS = {
    LAST_ORDER: ("ordered recently", "ordered long ago"),
    FIRST_ORDER: ("new customers", "long-time customers"),
    SIGNUP: ("signed up recently", "signed up long ago"),
}
_BARE = {"true", "false", "yes", "no", "y", "n"}  # these values say nothing without the feature's name


@dataclass(frozen=True, slots=True)
class _Part:
    words: str
    ours: bool  # the words are ours; False: a value from the shop's data, kept as it is


def name_segments(
    traits: Traits, features: Sequence[Feature], kept: Mapping[int, str] | None = None
) -> list[str]:
    """The names of clusters 0, 1, 2…; the same arguments give the same names.

    A new name has at most MAX_CHARACTERS characters, and differs from the first MAX_CHARACTERS of every other
    name. A kept name may be longer.

    Args:
        traits: the traits of the training users.
        features: the model's inputs.
        kept: the names of clusters that have a name already.
    """
    by_cluster = dict(kept or {})
    for cluster, segment in enumerate(traits.segments):
        if cluster not in by_cluster:
            taken = {name[:MAX_CHARACTERS] for name in by_cluster.values()}
            by_cluster[cluster] = _name(_parts(segment, features), taken)
    return [by_cluster[cluster] for cluster in range(len(traits.segments))]


def notable(trait: Trait) -> bool:
    """Whether a trait is strong enough, and frequent enough, to describe a segment."""
    return abs(trait.effect) >= LEAST_EFFECT and (trait.value is None or trait.here >= LEAST_SHARE)


def is_named(trait: Trait, feature: Feature, name: str) -> bool:
    """Whether a segment's name has this trait among its parts; a name that was cut may not show it."""
    return f", {_part(trait, feature).words},".casefold() in f", {name},".casefold()


def _parts(traits: Sequence[Trait], features: Sequence[Feature]) -> list[_Part]:
    """The parts of a name, at most one for each feature, the strongest first."""
    by_name = {feature.name: feature for feature in features}
    found: dict[str, _Part] = {}
    for trait in traits:
        if notable(trait) and trait.feature not in found:
            found[trait.feature] = _part(trait, by_name[trait.feature])
    # Two features may have the same words: age, and a declared `last` of age.
    return list(dict.fromkeys(found.values()))


def _part(trait: Trait, feature: Feature) -> _Part:
    if trait.value is None:
        return _Part(number_words(feature)[trait.effect > 0], ours=True)
    known = gender_word(feature, trait.value)
    words = known or _visible(trait.value)
    bare = words.casefold() in _BARE or words.isdecimal()
    if bare:
        words = f"{feature.name.replace('_', ' ')} {words}"
    often = trait.here < _MOST
    return _Part(f"often {words}" if often else words, ours=often or bare or known is not None)


def gender_word(feature: Feature, value: str) -> str | None:
    """The word for users with this value of a gender; None for another value or feature."""
    return _GENDERS.get(value) if feature.source == "gender" else None


def number_words(feature: Feature) -> tuple[str, str]:
    """The words for a segment with a lower mean, and for a segment with a higher mean."""
    if feature.source == "age":
        return _AGE
    if feature.kind == "count" and feature.window is None:
        return _ORDERS
    if feature.source in _DAYS:
        return _DAYS[feature.source]
    name = feature.name.replace("_", " ")
    if feature.boolean:
        return f"seldom {name}", f"often {name}"
    return (f"fewer {name}", f"more {name}") if feature.counts else (f"lower {name}", f"higher {name}")


def _name(parts: Sequence[_Part], taken: Collection[str]) -> str:
    """The first candidate that is not taken; else the best candidate, cut for a number."""
    candidates = [_joined(chosen) for chosen in _choices(parts)] or ["Average"]
    free = next((name for name in candidates if name not in taken), None)
    if free is not None:
        return free
    endings = (f" ({number})" for number in count(2))
    numbered = (_cut(candidates[0], MAX_CHARACTERS - len(ending)) + ending for ending in endings)
    return next(name for name in numbered if name not in taken)


def _choices(parts: Sequence[_Part]) -> Iterator[tuple[_Part, ...]]:
    """Yield the parts of each possible name, the best choice first: the strongest trait and the next one
    that fits beside it, then three traits, then other pairs. A trait beside which nothing fits stands alone.
    """
    for place, first in enumerate(parts):
        beside = [(first, other) for other in parts[place + 1 :] if _fit(first, other)]
        yield from beside[:1]
        yield from ((*pair, third) for pair in beside[:1] for third in parts if _fit(*pair, third))
        yield from beside[1:]
        if not any(_fit(first, other) for other in parts):
            yield (first,)


def _fit(*parts: _Part) -> bool:
    return len(set(parts)) == len(parts) and len(", ".join(part.words for part in parts)) <= MAX_CHARACTERS


def _joined(parts: Sequence[_Part]) -> str:
    text = ", ".join(part.words for part in parts)
    return _cut(text[0].upper() + text[1:] if parts[0].ours else text, MAX_CHARACTERS)


def _visible(value: str) -> str:
    """The value on one line, without invisible characters (controls, direction marks)."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in value).split()) or "(unreadable)"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
