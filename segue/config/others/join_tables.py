"""Checks the setting ``join``: the two Debezium topics whose rows `segue join` joins to whole orders."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from schemas.errors import BadSetting
from schemas.inputs.forms.event_form import EventForm
from schemas.inputs.forms.field_paths import ITEMS, parts_of
from schemas.topics import Topics, join_topic_configs, topic_configs, trigger_topic_configs
from segue.config.setting_texts import table_of

_EXAMPLE = '{"orders": "shop.public.orders", "items": "shop.public.order_items"}'
_LEGAL_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_COLUMNS = {"order_id": "order_id", "item_id": "id"}
_FIELDS = ("orders", "items", *_COLUMNS)


class JoinTables(Struct, frozen=True):
    """The tables to join.

    Attributes:
        orders: Debezium's topic of the table of orders.
        items: Debezium's topic of the table of their lines.
        order_id: the column of a line that names its order.
        item_id: the column of a line that is its key.
    """

    orders: str
    items: str
    order_id: str = _COLUMNS["order_id"]
    item_id: str = _COLUMNS["item_id"]


def join_table(value: object) -> dict[str, str]:
    """Check the setting ``join`` by itself, and return its fields.

    Args:
        value: a table, or text with a JSON object; an empty one joins nothing.

    Raises:
        ValueError: the value is neither.
        BadSetting: a field is wrong or missing. The error names it.
    """
    table = table_of(value, _EXAMPLE)
    for name, given in table.items():
        if name not in _FIELDS:
            raise BadSetting(f"join.{name}", given, f"the table has {', '.join(_FIELDS)}")
        if not isinstance(given, str) or not given:
            what = "the name of a column" if name in _COLUMNS else "the name of a topic"
            raise BadSetting(f"join.{name}", given, f"give {what}, in quotes")
    fields = {name: str(given) for name, given in table.items()}
    if not fields:
        return {}
    for name in ("orders", "items"):
        topic = fields.get(name)
        if topic is None:
            rows = "orders" if name == "orders" else "the lines of orders"
            raise BadSetting("join", fields, f'add {name}, such as {name} = "shop.public.{name}", of {rows}')
        if not _LEGAL_TOPIC.fullmatch(topic) or topic in (".", ".."):
            fix = "Kafka's names take letters, digits, '.', '_' and '-', at most 249"
            raise BadSetting(f"join.{name}", topic, fix)
    if fields["orders"] == fields["items"]:
        raise BadSetting("join.items", fields["items"], "the lines have a topic of their own, name that one")
    return fields


def check_join(tables: JoinTables, orders: EventForm | None, topics: Topics) -> None:
    """Check that the tables fit the other settings.

    Args:
        tables: the tables to join.
        orders: the form of the orders; None for Segue's own.
        topics: the names of Segue's topics.

    Raises:
        BadSetting: the setting ``join``, or one of ``events.orders``, does not fit.
    """
    ours = {**topic_configs(topics), **trigger_topic_configs(topics), **join_topic_configs(topics)}
    for name, topic in (("orders", tables.orders), ("items", tables.items)):
        if topic in {*ours, topics.rekeyed}:
            raise BadSetting(
                f"join.{name}", topic, "this is a topic of Segue, name Debezium's topic of the table"
            )
    form = "unset" if orders is None else orders.form
    if orders is None or form != "debezium":
        raise BadSetting("events.orders.form", form, 'set it to "debezium": `segue join` writes such orders')
    paths = dict(orders.paths)
    if "updated_at" in paths:
        fix = (
            "leave it out with join: a line may change while its order's row does not, so the time of an"
            " order is that of the newest change of its rows"
        )
        raise BadSetting("events.orders.updated_at", paths["updated_at"], fix)
    if len(parts_of(paths.get(ITEMS, ITEMS))) > 1:
        fix = "name one column without a dot: `segue join` puts the lines there"
        raise BadSetting("events.orders.items", paths[ITEMS], fix)


def tables_of(fields: Mapping[str, str]) -> JoinTables | None:
    """Return the tables that checked fields of the setting name; None if there are none."""
    return JoinTables(**fields) if fields else None
