"""The features: declared once, in the order in which the model takes them.

Both sides derive the same values from the same history: the SQL over the warehouse and the fold over
events. The user id is never a feature.
"""

from dataclasses import dataclass
from typing import Literal

FeatureKind = Literal["attribute", "count", "most_frequent"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One input of the model.

    Attributes:
        kind: ``attribute`` (a profile field), ``count`` (of distinct orders) or ``most_frequent`` (an
            item field's value with the most items).
        source: the profile or item field that it is made from; ``order_id`` for the count.
        numeric: whether the value is a number that is scaled as it is; otherwise it is encoded.
    """

    name: str
    kind: FeatureKind
    source: str
    numeric: bool


FEATURES: tuple[Feature, ...] = (
    Feature("age", "attribute", "age", numeric=True),
    Feature("gender", "attribute", "gender", numeric=False),
    Feature("country", "attribute", "country", numeric=False),
    Feature("traffic_source", "attribute", "traffic_source", numeric=False),
    Feature("total_orders", "count", "order_id", numeric=True),
    Feature("most_frequent_brand", "most_frequent", "brand", numeric=False),
    Feature("most_frequent_category", "most_frequent", "category", numeric=False),
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
