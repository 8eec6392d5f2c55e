import pytest

from schemas.errors import BadSetting
from schemas.event_fields import Field, field_of, short_name
from schemas.features import Feature, declared
from schemas.inputs.fields_read import fields_read


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("user.age", "age"),
        ("order.status", "status"),
        ("item.brand", "brand"),
        ("user.status", "user.status"),
    ],
)
def test_a_known_field_has_one_name(source: str, short: str) -> None:
    assert short_name(source) == short
    assert declared([Feature("x", "last", source)])[-1].source == short


def test_a_path_goes_into_objects() -> None:
    field = field_of("order.shipping.country")
    assert field == Field("order.shipping.country", "order", "text", ("shipping", "country"), own=True)
    assert field.column == "shipping.country"


@pytest.mark.parametrize(
    "source",
    [
        "income",
        "user.",
        "user",
        "user..x",
        "shop.x",
        "user.user_id",
        "order.items",
        "order.created_at",
        "user.a b",
        "item.id",
        "user.x\x1b",
        f"user.{'x' * 200}",
        "",
    ],
)
def test_what_is_no_field(source: str) -> None:
    assert field_of(source) is None
    with pytest.raises(BadSetting, match=r"^setting declare\.x\.source is '"):
        declared([Feature("x", "last", source)])


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (
            [Feature("x", "mean", "item.size"), Feature("y", "distinct", "item.size")],
            "setting declare.y.type is 'text': x reads item.size as number: give both the same type",
        ),
        (
            [Feature("x", "last", "order.shipping"), Feature("y", "last", "order.shipping.country")],
            (
                "setting declare.x.source is 'order.shipping': y reads order.shipping.country, which is a"
                " field inside it"
            ),
        ),
        (
            [Feature("x", "last", "order.status.code")],
            "setting declare.x.source is 'order.status.code': status is a text: no field lies inside it",
        ),
        (
            [Feature("x", "distinct", "item.size", type="number")],
            "setting declare.x.type is 'number': distinct reads a text or a boolean",
        ),
        (
            [Feature("x", "attribute", "user.age", type="text")],
            "setting declare.x.type is 'text': leave it out, age is a number",
        ),
        (
            [Feature("x", "sum", "order_value", type="number")],
            "setting declare.x.type is 'number': leave it out, order_value has its own type",
        ),
        (
            [Feature("x", "attribute", "order.channel")],
            (
                "setting declare.x.source is 'order.channel': attribute is made from one of age, gender,"
                " country, traffic_source, user.<field>"
            ),
        ),
        (
            [Feature("x", "attribute", "user.vip", "one-hot", "boolean")],
            "setting declare.x.encoding is 'one-hot': leave it out, the feature is a number",
        ),
    ],
)
def test_what_cannot_be_declared_is_one_sentence(features: list[Feature], sentence: str) -> None:
    with pytest.raises(BadSetting) as caught:
        declared(features)
    assert str(caught.value) == sentence


def test_only_the_fields_of_the_features_are_read() -> None:
    some = declared([Feature("income", "attribute", "user.income", type="number")])
    read = fields_read((some[4], some[-1]), statuses=True)
    assert read.known == frozenset({"status"})
    assert [field.name for field in read.own] == ["user.income"]
    assert (read.items, read.profile) == (False, True)
    assert not fields_read((some[4],), statuses=False).profile
    assert fields_read((some[5],), statuses=False).items
