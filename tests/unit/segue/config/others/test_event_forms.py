"""The setting ``events``: what it declares, and each mistake as one sentence that names the field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.errors import BadSetting
from schemas.inputs.forms.event_form import EventForm, EventForms
from segue.config.load_settings import load_settings
from segue.config.settings import Settings
from segue.connect.lane_connections import lane_config
from tests.support.inputs.event_samples import settings_of

TABLE = """
[events.orders]
user_id = "customer.id"
dates = "unix"
order.channel = "source_name"
"order.shipping.country" = "shipping_address.country_code"
"order.status" = "state"

[events.orders.item]
brand = "vendor"
weight = "grams"
"item.size.width" = "sizes.0"

[events.orders.values.status]
paid = "Complete"

[events.orders.values.order.channel]
1 = "web"
"""


def loaded(folder: Path, text: str) -> Settings:
    path = folder / "segue.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_a_mapping_with_dotted_names_in_both_ways(tmp_path: Path) -> None:
    form = loaded(tmp_path, TABLE).forms.orders
    assert form == EventForm(
        "mapping",
        (
            ("brand", "vendor"),
            ("item.size.width", "sizes.0"),
            ("item.weight", "grams"),
            ("order.channel", "source_name"),
            ("order.shipping.country", "shipping_address.country_code"),
            ("status", "state"),
            ("user_id", "customer.id"),
        ),
        (("order.channel", (("1", "web"),)), ("status", (("paid", "Complete"),))),
        "unix",
    )


def test_without_tables_events_are_in_segue_s_own_form() -> None:
    assert Settings().forms == EventForms()


def test_the_environment_has_them_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEGUE_EVENTS", json.dumps({"signups": {"form": "segment"}}))
    assert load_settings().forms == EventForms(signups=EventForm("segment"))


@pytest.mark.parametrize(
    "example", ["Shopify", "WooCommerce", "Segment and RudderStack", "Debezium", "CloudEvents"]
)
def test_the_examples_in_the_docs_are_settings(example: str) -> None:
    settings = Settings(**settings_of(example))
    assert settings.forms.orders is not None
    assert lane_config(settings, 4).settings.forms == settings.forms


def test_the_example_of_a_registry_is_a_setting() -> None:
    settings = Settings(**settings_of("A Schema Registry"))
    assert settings.schema_registry_options == {"basic.auth.user.info": "segue:secret"}
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("events = 7", "setting events is 7: give tables by topic, such as [events.orders]"),
        (
            "events = 'segment'",
            """events is 'segment': give tables by topic, such as [events.orders] with form = "segment",""",
        ),
        ("events = 'shop'", "setting events is 'shop': give tables by topic, such as [events.orders] with {"),
        ("events = 'null'", "setting events is 'null': give tables by topic"),
        (
            "events.clicks = {}",
            "setting events.clicks is 'a table': there are only events.signups and events.orders",
        ),
        ("events.orders = 'shopify'", "setting events.orders is 'shopify': give a table of paths"),
        (
            "events.orders.form = 'shopify'",
            "events.orders.form is 'shopify': use one of mapping, segment, debezium",
        ),
        ("events.orders.user = 'id'", "there is no such field, did you mean user_id?"),
        (
            "events.orders.status = 'a'\nevents.orders.'order.status' = 'b'",
            "setting events.orders.order.status is 'b': status has the path a already, map it once",
        ),
        (
            "events.orders.xyz = 'id'",
            "setting events.orders.xyz is 'a path': there is no such field, map order_id",
        ),
        ("events.orders.age = 'id'", "setting events.orders.age is 'a path': there is no such field"),
        (
            "events.orders.'order.id' = 'a'\nevents.orders.'order.user_id' = 'a'",
            "events.orders.order.user_id is",
        ),
        (
            "events.signups.item.brand = 'x'",
            "setting events.signups.item.brand is 'a path': there is no such field",
        ),
        (
            "events.orders.user_id = ''",
            "setting events.orders.user_id is '': give a path such as customer.id",
        ),
        ("events.orders.user_id = 'a..b'", "setting events.orders.user_id is 'a..b': give a path"),
        ("events.orders.items = 'lines[0]'", "setting events.orders.items is 'lines[0]': give a path"),
        ("events.orders.user_id = 7", "setting events.orders.user_id is 7: give text, in quotes"),
        ("events.orders.item = 'x'", "setting events.orders.item is 'x': give a table of paths"),
        (
            "events.orders.item.id = 'x'",
            "setting events.orders.item.id is 'a path': there is no such field of an item",
        ),
        (
            "events.orders.item.age = 'x'",
            "setting events.orders.item.age is 'a path': there is no such field of an",
        ),
        ("events.orders.item.price = ''", "setting events.orders.item.price is '': give a path"),
        (
            "events.orders.dates = 'dd.mm.yyyy'",
            "events.orders.dates is 'dd.mm.yyyy': give unix, unix_ms, unix_us",
        ),
        ("events.orders.decimal = ';'", 'setting events.orders.decimal is \';\': give "." or ","'),
        ("events.orders.dates = 7", "setting events.orders.dates is 7: give text, in quotes"),
        ("events.orders.values = 7", "setting events.orders.values is 7: give a table by field"),
        (
            "events.orders.values.status = 7",
            "setting events.orders.values.status is 7: give a table by field",
        ),
        ("events.orders.values.status.paid = 7", "setting events.orders.values.status.paid is 7: give text"),
        (
            "events.orders.values.order_id.a = 'b'",
            "events.orders.values.order_id is 'a table': only a field that",
        ),
        (
            "events.signups.values.status.a = 'b'",
            "events.signups.values.status is 'a table': only a field that",
        ),
        (
            "schema_registry = 'registry:8081'",
            "is 'registry:8081': give an address such as http://registry:8081",
        ),
        ("schema_registry = 'http://a:b@c'", "leave the login out, and give it in schema_registry_options"),
        ("schema_registry_options.proxy = 'x'", "schema_registry_options (from"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_field(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as refused:
        loaded(tmp_path, text)
    said = str(refused.value)
    assert sentence in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "text", ["schema_registry = 'http://me:s3cret@c'", "schema_registry_options = {'basic.auth' = 's3cret'}"]
)
def test_no_message_shows_a_password(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSetting) as refused:
        loaded(tmp_path, text)
    assert "s3cret" not in str(refused.value)
