"""The names of RFM segments: a table of centres, and what holds for any centres."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.controls.traits import Trait, Traits
from trainer.names.rfm_names import Centre, cell_name, names_of_centres, rfm_names
from trainer.names.segment_names import MAX_CHARACTERS

EFFECTS = st.floats(-3, 3).map(lambda effect: round(effect, 1))
CENTRES = st.builds(Centre, EFFECTS, EFFECTS, EFFECTS)


@pytest.mark.parametrize(
    ("centre", "name"),
    [
        (Centre(-1.3, 1.9, 1.5), "Champions"),
        (Centre(-1.2, -0.2, -0.1), "Promising"),
        (Centre(-0.6, -0.6, -0.7), "New"),
        (Centre(0.1, 1.2, 0.9), "Loyal"),
        (Centre(0.1, -0.1, 0.2), "Regular"),
        (Centre(0.0, -0.5, -0.9), "Fading"),
        (Centre(0.8, 0.6, 0.5), "At risk"),
        (Centre(0.5, 0.0, 0.2), "Dormant"),
        (Centre(0.7, -0.8, -0.8), "Lost"),
        (Centre(0.4, -0.4, -0.4), "Regular"),  # on a border: as usual
        (Centre(0.7, -0.3, 1.2), "At risk"),  # one large order: the mean of -0.3 and 1.2 is 0.45
    ],
)
def test_each_cell_has_its_name(centre: Centre, name: str) -> None:
    assert cell_name(centre) == name


def test_two_in_one_cell_say_what_tells_them_apart() -> None:
    # Champions differ by 1.4 in orders, 0.9 in spend and 1.0 in days. Lost differ by 0.1, 0.8 and 0.2.
    centres = [
        Centre(-0.6, 0.9, 0.9),
        Centre(-1.6, 2.3, 1.8),
        Centre(0.6, -0.8, -0.5),
        Centre(0.8, -0.7, -1.3),
    ]
    assert names_of_centres(centres, {}) == [
        "Champions, fewer orders",
        "Champions, more orders",
        "Lost, spending more",
        "Lost, spending less",
    ]


def test_a_kept_name_stays_and_a_new_segment_beside_it_gets_a_second_word() -> None:
    # The kept segment would be called Promising today. In recency the new one differs from it by 0.5, in
    # orders by 1.7.
    centres = [Centre(-0.5, 0.1, 0.3), Centre(-1.0, 1.8, 1.4)]
    assert names_of_centres(centres, {0: "Champions"}) == ["Champions", "Champions, more orders"]
    assert names_of_centres(centres, {0: "VIP"}) == ["VIP", "Champions"]


def test_what_nothing_tells_apart_is_numbered() -> None:
    centres = [Centre(1.0, -1.0, -1.0)] * 5
    assert names_of_centres(centres, {})[3:] == ["Lost (2)", "Lost (3)"]


def test_the_centres_are_the_effects_of_the_traits() -> None:
    def trait(feature: str, effect: float) -> Trait:
        return Trait(feature, None, 0.0, 0.0, effect, 9.0, clear=True)

    country = Trait("country", "Spain", 0.5, 0.1, 2.0, 9.0, clear=True)
    best = (country, trait("monetary", 1.5), trait("recency", -1.3), trait("frequency", 1.0))
    assert rfm_names(Traits((best,), 3, 2.0, ())) == ["Champions"]


@given(
    st.lists(CENTRES, min_size=1, max_size=10),
    st.dictionaries(
        st.integers(0, 9), st.integers(0, 99).map(lambda number: f"Loyal, {number} of them, kept")
    ),
)
def test_names_are_short_and_different_and_kept_ones_stay(
    centres: list[Centre], kept: dict[int, str]
) -> None:
    there = {place: name for place, name in kept.items() if place < len(centres)}
    names = names_of_centres(centres, there)
    new = [name for place, name in enumerate(names) if place not in there]
    assert all(names[place] == name for place, name in there.items())
    assert all(len(name) <= MAX_CHARACTERS for name in new)
    assert len(set(new)) == len(new)
    assert not set(new) & {name[:MAX_CHARACTERS] for name in there.values()}
