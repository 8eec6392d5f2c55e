"""`segue schema`: the JSON Schemas of the events, with the fields that the settings read."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from typing import Annotated, Literal

import typer

from segue.cli.command import command
from segue.config.settings import Settings
from segue.show.terminal import warn, write_json


@command(example="segue schema order")
def schema(
    settings: Settings,
    event: Annotated[
        Literal["signup", "order", "user-erased"] | None,
        typer.Argument(metavar="[EVENT]", help="signup, order or user-erased; unset: all three, by name"),
    ] = None,
) -> int | None:
    """Print the JSON Schema of an event, with the fields that your features read.

    A producer can check its events by it before it sends them. In a field that is not named, any value is
    allowed.
    """
    from schemas.documents.json_schemas import read_schemas
    from schemas.inputs.fields_read import fields_read

    other = [topic for topic in ("signups", "orders") if getattr(settings.forms, topic) is not None]
    if other:
        warn(
            f"events on {' and '.join(other)} come in another form, by the setting events (docs/events.md):"
            " these are the schemas of Segue's own form"
        )
    read = fields_read(settings.read_features, statuses=bool(settings.exclude_statuses))
    schemas = read_schemas(read)
    write_json(schemas if event is None else schemas[event])
    return None
