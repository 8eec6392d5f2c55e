"""Generate the JSON Schemas (draft 2020-12) of all records from the types."""

import inspect

import msgspec

from schemas.documents.read_fields import JsonObject, fitted
from schemas.features import Feature
from schemas.inputs.fields_read import FieldsRead
from schemas.inputs.producer_types import OrderEvent, SignupEvent, UserErasedEvent
from schemas.outputs.segment_change import SegmentChange, UserErasedChange
from schemas.release.model_release import ModelRelease

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# The types, by the name of the schema's file.
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
    """Return the schemas by the name of the file; no schema refers to another file."""
    read = {name: _schema(of, written=False) for name, of in READ.items()}
    return read | {name: _schema(of, written=True) for name, of in WRITTEN.items()}


def read_schemas(read: FieldsRead) -> dict[str, JsonObject]:
    """Return the schemas of the inputs, with the fields that features read."""
    return fitted({name: _schema(of, written=False) for name, of in READ.items()}, read)


def _schema(of: type[msgspec.Struct], *, written: bool) -> JsonObject:
    _, components = msgspec.json.schema_components([of], ref_template="#/$defs/{name}")
    for name, schema in components.items():
        _tidy_description(schema)
        if written and name != Feature.__name__:
            _require_all(schema)
    root = components.pop(of.__name__)
    return {"$schema": DIALECT, **root, **({"$defs": dict(sorted(components.items()))} if components else {})}


def _tidy_description(schema: JsonObject) -> None:
    """Remove the code's indentation and the double backquotes from a docstring."""
    if "description" in schema:
        schema["description"] = inspect.cleandoc(schema["description"]).replace("``", "`")


def _require_all(schema: JsonObject) -> None:
    """Require every field: Segue always writes also the fields with a default, but in a feature.

    A field that is neither required nor has a default is left out if it is unset.
    """
    known = schema.get("required", ())
    fields = schema["properties"]
    schema["required"] = [name for name in fields if name in known or "default" in fields[name]]
    for field in schema["properties"].values():
        field.pop("default", None)
