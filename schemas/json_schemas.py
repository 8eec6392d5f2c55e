"""JSON Schemas (draft 2020-12) of everything on the topics, made from the types."""

import inspect
from typing import Any

import msgspec

from schemas.changes import SegmentChange, UserErasedChange
from schemas.producer import OrderEvent, SignupEvent, UserErasedEvent
from schemas.release import ModelRelease

DIALECT = "https://json-schema.org/draft/2020-12/schema"

JsonObject = dict[str, Any]

# By the name of its file.
TYPES: dict[str, type[msgspec.Struct]] = {
    "signup": SignupEvent,
    "user-erased": UserErasedEvent,
    "order": OrderEvent,
    "segment-change": SegmentChange,
    "user-erased-change": UserErasedChange,
    "model-release": ModelRelease,
}


def json_schemas() -> dict[str, JsonObject]:
    """Each schema whole in itself, by the name of its file."""
    return {name: _schema(of) for name, of in TYPES.items()}


def _schema(of: type[msgspec.Struct]) -> JsonObject:
    _, components = msgspec.json.schema_components([of], ref_template="#/$defs/{name}")
    tidy = {name: _tidy(schema) for name, schema in sorted(components.items())}
    root = tidy.pop(of.__name__)
    return {"$schema": DIALECT, **root, **({"$defs": tidy} if tidy else {})}


def _tidy(schema: JsonObject) -> JsonObject:
    """Docstrings as text: without the indentation of the code and the double backquotes."""
    if "description" in schema:
        schema["description"] = inspect.cleandoc(schema["description"]).replace("``", "`")
    return schema
