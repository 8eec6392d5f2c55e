from __future__ import annotations

from msgspec.structs import replace

from schemas.features import Feature
from schemas.release.model_release import EncodedFeature
from segue.console.shown.form_fields import declared_of, form_fields
from tests.support.worlds.made_up_release import a_release

SPEND = Feature(name="spend", kind="sum", source="item.price")


def test_each_feature_of_the_release_is_a_field_with_the_values_of_the_training() -> None:
    fields = form_fields(a_release(), {"gender": "F"})
    assert [field.name for field in fields][:3] == ["age", "gender", "country"]
    assert [field.is_number for field in fields[:2]] == [True, False]
    assert (fields[1].value, fields[1].choices) == ("F", ("F", "M"))


def test_a_declared_feature_has_a_name_of_its_own_in_the_form() -> None:
    """So a feature that a shop calls `id` or `token` is no parameter of the console."""
    release = replace(a_release(declared=(SPEND,)), features=(EncodedFeature("spend", "number"),))
    (field,) = form_fields(release, {"feature.spend": "12.5"})
    assert (field.name, field.label, field.value) == ("feature.spend", "spend", "12.5")
    assert declared_of(release, {"feature.spend": "12.5", "feature.other": "1", "spend": "3"}) == [
        "spend=12.5"
    ]
    assert declared_of(release, {"feature.spend": " "}) == []


def test_thousands_of_brands_are_no_list() -> None:
    many = tuple(f"brand {number:04}" for number in range(501))
    brands = EncodedFeature("most_frequent_brand", "frequency", many, (0.0,) * 501)
    (field,) = form_fields(replace(a_release(), features=(brands,)), {})
    assert field.choices == ()
