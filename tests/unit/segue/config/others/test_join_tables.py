"""The setting ``join``: what it names, and each mistake as one sentence that names the field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.errors import BadSetting
from segue.config.load_settings import load_settings
from segue.config.others.join_tables import JoinTables
from segue.config.settings import Settings
from tests.support.inputs.event_samples import settings_of

FORM = '[events.orders]\nform = "debezium"\norder_id = "id"\nuser_id = "customer_id"\n'
JOIN = '[join]\norders = "shop.orders"\nitems = "shop.order_items"\n'


def loaded(folder: Path, text: str) -> Settings:
    path = folder / "segue.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_the_columns_of_a_line_have_usual_names(tmp_path: Path) -> None:
    assert loaded(tmp_path, FORM + JOIN).joined == JoinTables(
        "shop.orders", "shop.order_items", "order_id", "id"
    )
    other = loaded(tmp_path, FORM + JOIN + 'order_id = "order_no"\nitem_id = "line_no"\n').joined
    assert other is not None
    assert (other.order_id, other.item_id) == ("order_no", "line_no")


def test_the_page_has_settings_that_can_be_used() -> None:
    shop = Settings.model_validate(settings_of("Lines in a table of their own"))
    assert shop.joined == JoinTables("shop.public.orders", "shop.public.order_items")
    assert shop.forms.orders is not None
    assert dict(shop.forms.orders.paths)["brand"] == "maker"


def test_without_the_setting_nothing_is_joined(tmp_path: Path) -> None:
    assert loaded(tmp_path, FORM).joined is None


def test_the_environment_has_it_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_JOIN", json.dumps({"orders": "a", "items": "b"}))
    assert loaded(tmp_path, FORM).joined == JoinTables("a", "b")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"join = 7\n{FORM}", "setting join (from *) is 7: give a table, in the environment as JSON"),
        (f'{FORM}[join]\norders = "a"\n', "setting join is {'orders': 'a'}: add items, such as items = *"),
        (f'{FORM}[join]\nitems = "a"\n', "setting join is {'items': 'a'}: add orders, such as orders = *"),
        (f'{FORM}{JOIN}lines = "x"\n', "setting join.lines is 'x': the table has orders, items, order_id, *"),
        (f"{FORM}{JOIN}item_id = 7\n", "setting join.item_id is 7: give the name of a column, in quotes"),
        (f'{FORM}[join]\norders = ""\n', "setting join.orders is '': give the name of a topic, in quotes"),
        (
            f'{FORM}[join]\norders = "a b"\nitems = "c"\n',
            "setting join.orders is 'a b': Kafka's names take letters*",
        ),
        (
            f'{FORM}[join]\norders = "a"\nitems = "a"\n',
            "setting join.items is 'a': the lines have a topic of their own, name that one",
        ),
        (
            f'{FORM}[join]\norders = "orders"\nitems = "a"\n',
            "setting join.orders is 'orders': this is a topic of Segue, name Debezium's topic of the table",
        ),
        (JOIN, "setting events.orders.form is 'unset': set it to \"debezium\": `segue join` writes such *"),
        (
            f'[events.orders]\nuser_id = "x"\n{JOIN}',
            "setting events.orders.form is 'mapping': set it to \"debezium\"*",
        ),
        (
            f'{FORM}updated_at = "changed_at"\n{JOIN}',
            "setting events.orders.updated_at is 'changed_at': leave it out with join: a line may change *",
        ),
        (
            f'{FORM}items = "attrs.lines"\n{JOIN}',
            "setting events.orders.items is 'attrs.lines': name one column without a dot: *",
        ),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as caught:
        loaded(tmp_path, text)
    said = str(caught.value)
    before, star, after = sentence.partition("(from *)")
    if star:
        assert said.startswith(before)
        assert after in said
    else:
        assert said.startswith(sentence.removesuffix("*"))
    assert "\n" not in said
