"""Fits the JSON Schemas of the inputs to what the declared features read."""

import copy
from typing import Any

from schemas.event_fields import KNOWN, Field
from schemas.inputs.field_checks import MAX_TEXT_BYTES, MAX_WHOLE_ID, MIN_WHOLE_ID
from schemas.inputs.fields_read import FieldsRead

JsonObject = dict[str, Any]

_TYPES: dict[str, list[JsonObject]] = {
    "text": [
        {"type": "string", "maxLength": MAX_TEXT_BYTES},
        {"type": "integer", "minimum": MIN_WHOLE_ID, "maximum": MAX_WHOLE_ID},
    ],
    "number": [{"type": "number"}],
    "boolean": [{"type": "boolean"}, {"enum": ["true", "false"]}],
    "date": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
}


def fitted(schemas: dict[str, JsonObject], read: FieldsRead) -> dict[str, JsonObject]:
    """Return the schemas of the inputs for these fields.

    A known field that no feature reads is left out: any value is allowed there. Each field of the shop's own
    is added at its path, and items are left out where no feature reads them.

    Args:
        schemas: the schemas by name, with ``signup`` and ``order`` among them.
        read: the fields that features read.
    """
    made = copy.deepcopy(schemas)
    signup, order = made["signup"], made["order"]
    item = order["$defs"]["OrderItem"]
    levels = ((signup, "user", read.user), (order, "order", read.order), (item, "item", read.item))
    for schema, level, own in levels:
        for field in KNOWN.values():
            if field.level == level and field.name not in read.known:
                schema["properties"].pop(field.name, None)
        for field in own:
            _add(schema, field)
    if not read.items:
        order["properties"].pop("items")
        order["required"].remove("items")
        order["$defs"].pop("OrderItem")
        if not order["$defs"]:
            order.pop("$defs")
    return made


def _add(schema: JsonObject, field: Field) -> None:
    holder = schema
    for part in field.path[:-1]:
        inner = holder["properties"].setdefault(
            part, {"anyOf": [{"type": "object", "properties": {}}, {"type": "null"}]}
        )
        holder = inner["anyOf"][0]
    holder["properties"][field.path[-1]] = {"anyOf": [*_TYPES[field.type], {"type": "null"}], "default": None}
