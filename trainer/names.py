"""A short name for each segment, made from what sets its users apart from all others.

How far a trait sets them apart is the difference between the segment's mean and everybody's, in standard
deviations of everybody: for a number its own, for a value of text those of "has it or not". Names are
for people; the id is what identifies a segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from schemas.features import FEATURES
from trainer.evaluate import Labels

Mask = npt.NDArray[np.bool_]

LEAST_EFFECT = 0.1
_TRAITS = 2
_WORDS_CHARACTERS = 30
_NUMBERS = {"age": ("younger", "older"), "total_orders": ("fewer orders", "more orders")}
_GENDERS = {"F": "women", "M": "men"}
_OWN_WORDS = {"average", *_GENDERS.values(), *(word for words in _NUMBERS.values() for word in words)}


@dataclass(frozen=True, slots=True)
class _Trait:
    effect: float
    place: int  # of the feature among the declared ones
    words: str


def name_segments(rows: pd.DataFrame, labels: Labels, features: Sequence[str]) -> list[str]:
    """The names of clusters 0, 1, 2…, all different; the same rows and labels give the same names.

    Args:
        rows: the training rows, with the features by name.
        labels: each row's cluster, shape (rows,).
        features: the model's inputs, none of them the same in all rows.
    """
    names: list[str] = []
    for cluster in range(int(labels.max()) + 1):
        traits = sorted(_traits(rows, labels == cluster, features), key=lambda trait: -trait.effect)
        names.append(_unused(traits, names))
    return names


def _unused(traits: list[_Trait], names: list[str]) -> str:
    """The leading traits, with more of them or a number where another segment has that name."""
    for count in range(min(_TRAITS, len(traits)), len(traits) + 1):
        name = _said(traits[:count])
        if name not in names:
            return name
    base = _said(traits[:_TRAITS])
    number = 2
    while f"{base} ({number})" in names:
        number += 1
    return f"{base} ({number})"


def _said(traits: list[_Trait]) -> str:
    # In the features' order and not by effect: the name stays when two effects change places.
    words = [trait.words for trait in sorted(traits, key=lambda trait: trait.place)] or ["average"]
    if words[0] in _OWN_WORDS:  # a value of the shop's stays as it is written there
        words[0] = words[0].capitalize()
    return ", ".join(words)


def _traits(rows: pd.DataFrame, inside: Mask, features: Sequence[str]) -> list[_Trait]:
    """One trait a feature at most: the one that sets the segment apart the most."""
    traits = []
    for place, feature in enumerate(FEATURES):
        if feature.name not in features:
            continue
        values = rows[feature.name]
        if feature.numeric:
            effect, words = _number_trait(values, inside, *_NUMBERS[feature.name])
        else:
            effect, words = _text_trait(values, inside, _GENDERS if feature.name == "gender" else {})
        if effect >= LEAST_EFFECT:
            traits.append(_Trait(effect, place, words))
    return traits


def _number_trait(values: pd.Series[Any], inside: Mask, lower: str, higher: str) -> tuple[float, str]:
    numbers = values.to_numpy(dtype=np.float64)
    effect = float((numbers[inside].mean() - numbers.mean()) / numbers.std())
    return abs(effect), higher if effect > 0 else lower


def _text_trait(values: pd.Series[Any], inside: Mask, words: dict[str, str]) -> tuple[float, str]:
    """The most over-represented value, the smaller text where two are equal."""
    texts, codes = np.unique(values.to_numpy(dtype=object), return_inverse=True)
    everywhere = np.bincount(codes) / len(codes)
    here = np.bincount(codes[inside], minlength=len(texts)) / inside.sum()
    effects = (here - everywhere) / np.sqrt(everywhere * (1 - everywhere))
    best = int(effects.argmax())
    value = str(texts[best])
    return float(effects[best]), words.get(value, _short(value))


def _short(text: str) -> str:
    return text if len(text) <= _WORDS_CHARACTERS else text[: _WORDS_CHARACTERS - 1].rstrip() + "…"
