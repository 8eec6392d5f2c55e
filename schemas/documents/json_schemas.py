"""JSON Schemas (draft 2020-12) of everything on the topics, made from the types."""

import inspect
from typing import Any

import msgspec

from schemas.inputs.producer_types import OrderEvent, SignupEvent, UserErasedEvent
from schemas.outputs.segment_change import SegmentChange, UserErasedChange
from schemas.release.model_release import ModelRelease

DIALECT = "https://json-schema.org/draft/2020-12/schema"

JsonObject = dict[str, Any]

# By the name of its file.
READ: dict[str, type[msgspec.Struct]] = {
    "signup": SignupEvent,
    "user-erased": UserErasedEvent,
    "order": OrderEvent,
}
WRITTEN: dict[str, type[msgspec.Struct]] = {
    "segment-change": SegmentChange,
    "user-erased-change": UserErasedChange,
    "model-release": ModelRelease,
}


def json_schemas() -> dict[str, JsonObject]:
    """Each schema whole in itself, by the name of its file."""
    read = {name: _schema(of, written=False) for name, of in READ.items()}
    return read | {name: _schema(of, written=True) for name, of in WRITTEN.items()}


def _schema(of: type[msgspec.Struct], *, written: bool) -> JsonObject:
    _, components = msgspec.json.schema_components([of], ref_template="#/$defs/{name}")
    for schema in components.values():
        _tidy_description(schema)
        if written:
            _require_all(schema)
    root = components.pop(of.__name__)
    return {"$schema": DIALECT, **root, **({"$defs": dict(sorted(components.items()))} if components else {})}


def _tidy_description(schema: JsonObject) -> None:
    """A docstring as text: without the indentation of the code and the double backquotes."""
    if "description" in schema:
        schema["description"] = inspect.cleandoc(schema["description"]).replace("``", "`")


def _require_all(schema: JsonObject) -> None:
    """What Segue writes has every field, also those that have a default in the code."""
    schema["required"] = list(schema["properties"])
    for field in schema["properties"].values():
        field.pop("default", None)
