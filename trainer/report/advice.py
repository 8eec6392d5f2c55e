"""A careful suggestion for each segment, by a simple rule over its worth, later orders and traits.

| the users so far | and in the 90 days after | advice |
|---|---|---|
| worth MORE times all users, or above | order again clearly less often | ``win_back`` |
| worth MORE times all users, or above | else | ``keep`` |
| worth LESS times all users, or below | order again clearly more often | ``grow`` |
| worth LESS times all users, or below | else | ``second_order`` |
| else, or not known | | ``usual`` |

Worth is spend per user, or orders per user if the warehouse has no prices. "Clearly" means that the 95%
interval of the segment's repeat rate does not contain the rate of all users, and that the segments explain
repeat orders better than chance.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from schemas.features import Feature
from trainer.controls.followup import LEAST_USERS, Followup, SegmentFollowup
from trainer.controls.traits import Trait
from trainer.controls.worth_so_far import Worth, ratio_to_all
from trainer.names.segment_names import notable

MORE, LESS = 1.2, 0.8
LEAST_SHARE = 0.25  # the share of the segment's users for whom an example fits
Kind = Literal["keep", "win_back", "grow", "second_order", "usual"]
_Again = Literal["less", "as others", "more"]


class Advice(Struct, frozen=True):
    """What to try with a segment.

    Attributes:
        kind: see the table above.
        feature: the text with the clearest ``value`` that at least LEAST_SHARE of the users have; None if
            there is none.
        value: examples for these users should fit it.
    """

    kind: Kind
    feature: str | None = None
    value: str | None = None


def advice_of(
    place: int,
    id_: int,
    sizes: Sequence[int],
    traits: Sequence[Trait],
    features: Sequence[Feature],
    worth: Worth | None,
    followup: Followup | None,
) -> Advice:
    """The advice for one segment.

    Args:
        place: the segment's index.
        id_: the segment's id.
        sizes: the number of users of each segment.
        traits: of the segment, the strongest first.
        features: the model's inputs.
        worth: the orders until now; None: not known.
        followup: the later orders; None: not known.
    """
    ratio = None if worth is None else ratio_to_all(worth, sizes, place)
    kind = _kind(ratio, _again(id_, followup))
    texts = {feature.name for feature in features if not feature.numeric}
    for trait in traits:
        if trait.clear and notable(trait) and trait.feature in texts and trait.here >= LEAST_SHARE:
            return Advice(kind, trait.feature, trait.value)
    return Advice(kind)


def _kind(ratio: float | None, again: _Again) -> Kind:
    if ratio is not None and ratio >= MORE:
        return "win_back" if again == "less" else "keep"
    if ratio is not None and ratio <= LESS:
        return "grow" if again == "more" else "second_order"
    return "usual"


def _again(id_: int, followup: Followup | None) -> _Again:
    """Whether the segment's users order again clearly less or more often than all users."""
    found = next((each for each in followup.segments if each.segment == id_), None) if followup else None
    if followup is None or found is None or found.users < LEAST_USERS:
        return "as others"
    if any(each.outcome == "repeat" and each.by_chance for each in followup.outcomes):
        return "as others"
    everybody = repeat_rate(followup)
    if abs(found.repeat_rate - everybody) <= repeat_margin(found):
        return "as others"
    return "less" if found.repeat_rate < everybody else "more"


def repeat_rate(followup: Followup) -> float:
    """The share of all users who ordered again, 0 to 1."""
    return sum(each.repeat_rate * each.users for each in followup.segments) / followup.users


def repeat_margin(segment: SegmentFollowup) -> float:
    """Half of the 95% interval of a segment's repeat rate (normal)."""
    return float(1.96 * (segment.repeat_rate * (1 - segment.repeat_rate) / segment.users) ** 0.5)
