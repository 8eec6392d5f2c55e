"""Names for the segments of the preset ``rfm``, by a rule over their centres.

A centre is recent, usual or old by its recency, and high, usual or low by its value, which is the mean of
frequency and money. Both are compared with all training users, in standard deviations of what the model
reads: beyond APART, a centre lies about among the outer thirds of the users. The nine cells have names; if
two segments lie in one cell, a second word says what tells them apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from trainer.controls.traits import Trait, Traits
from trainer.names.segment_names import MAX_CHARACTERS

APART = 0.4

# By recency (-1: recent) and value (1: high).
_NAMES = {
    (-1, 1): "Champions",
    (-1, 0): "Promising",
    (-1, -1): "New",
    (0, 1): "Loyal",
    (0, 0): "Regular",
    (0, -1): "Fading",
    (1, 1): "At risk",
    (1, 0): "Dormant",
    (1, -1): "Lost",
}
# By feature, the second words of a segment with a lower mean, and of one with a higher mean.
_SECOND = {
    "recency": ("more recent", "longer ago"),
    "frequency": ("fewer orders", "more orders"),
    "monetary": ("spending less", "spending more"),
}


@dataclass(frozen=True, slots=True)
class Centre:
    """The place of a segment among all users: the differences of its means, in standard deviations.

    Attributes:
        recency: of the days since the last order.
        frequency: of the orders.
        monetary: of their value.
    """

    recency: float
    frequency: float
    monetary: float


def rfm_names(traits: Traits, kept: Mapping[int, str] | None = None) -> list[str]:
    """The names of clusters 0, 1, 2…, all different; the same arguments give the same names.

    A new name has at most MAX_CHARACTERS characters, and differs from the first MAX_CHARACTERS of every other
    name.

    Args:
        traits: the traits of the training users, with recency, frequency and monetary.
        kept: the names of clusters that have a name already.
    """
    centres = [_centre(segment) for segment in traits.segments]
    return names_of_centres(centres, kept or {})


def names_of_centres(centres: Sequence[Centre], kept: Mapping[int, str]) -> list[str]:
    """The names of segments with these centres; as :func:`rfm_names`.

    >>> names_of_centres([Centre(-1, 1, 1), Centre(1, -1, -1)], {})
    ['Champions', 'Lost']
    """
    # A kept name counts by its first word, whatever its centre is today.
    cells = [kept.get(place, cell_name(centre)).partition(",")[0] for place, centre in enumerate(centres)]
    names = dict(kept)
    for place, centre in enumerate(centres):
        if place not in names:
            rivals = [
                rival
                for other, rival in enumerate(centres)
                if other != place and cells[other] == cells[place]
            ]
            taken = {name[:MAX_CHARACTERS] for name in names.values()}
            names[place] = _name(cells[place], centre, rivals, taken)
    return [names[place] for place in range(len(centres))]


def cell_name(centre: Centre) -> str:
    """The name of the cell in which a centre lies."""
    return _NAMES[_level(centre.recency), _level((centre.frequency + centre.monetary) / 2)]


def _level(difference: float) -> int:
    return (difference > APART) - (difference < -APART)


def _name(cell: str, centre: Centre, rivals: Sequence[Centre], taken: set[str]) -> str:
    """The cell's name; beside rivals in that cell with the second word that differs most from them."""
    differences = {
        feature: getattr(centre, feature) - sum(getattr(rival, feature) for rival in rivals) / len(rivals)
        for feature in _SECOND
        if rivals
    }
    strongest = sorted(differences, key=lambda feature: -abs(differences[feature]))
    candidates = [f"{cell}, {_SECOND[feature][differences[feature] > 0]}" for feature in strongest] or [cell]
    free = next((name for name in candidates if name not in taken), None)
    return free or next(name for name in (f"{cell} ({number})" for number in count(2)) if name not in taken)


def _centre(traits: Sequence[Trait]) -> Centre:
    effects = {trait.feature: trait.effect for trait in traits}
    return Centre(effects["recency"], effects["frequency"], effects["monetary"])
