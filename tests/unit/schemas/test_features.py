from schemas.features import FEATURE_NAMES, FEATURES
from schemas.input_events import PROFILE_FIELDS, Item


def test_the_articles_seven_in_its_order() -> None:
    assert FEATURE_NAMES == (
        "age",
        "gender",
        "country",
        "traffic_source",
        "total_orders",
        "most_frequent_brand",
        "most_frequent_category",
    )


def test_a_feature_is_made_from_a_field_that_exists() -> None:
    sources = {
        kind: [feature.source for feature in FEATURES if feature.kind == kind]
        for kind in ("attribute", "most_frequent")
    }
    assert tuple(sources["attribute"]) == PROFILE_FIELDS
    assert set(sources["most_frequent"]) <= set(Item.__struct_fields__)


def test_numbers_are_age_and_the_count() -> None:
    assert [feature.name for feature in FEATURES if feature.numeric] == ["age", "total_orders"]
