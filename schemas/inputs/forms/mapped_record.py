"""A declared mapping: a record's JSON with the fields at the paths in the settings."""

from collections.abc import Mapping

from schemas.inputs import field_checks
from schemas.inputs.fields_read import FieldsRead
from schemas.inputs.forms.event_form import EventForm, Source
from schemas.inputs.forms.field_paths import Places, Plan, plan_of
from schemas.inputs.forms.translate_fields import Fields, translated

PLACES = Places()


def from_mapping(
    record: Mapping[str, object], form: EventForm, topic: Source, read: FieldsRead
) -> tuple[Fields, Plan]:
    """Return the event in Segue's own form, and where its fields were.

    Args:
        record: the record's JSON.
        form: the topic's form; it may have paths to fields.
        topic: what the record's topic holds.
        read: what features read.

    Raises:
        BadEvent: the record cannot be read.
    """
    field_checks.not_deleted(record, 'set form = "debezium" for this topic')
    plan = plan_of(form, topic, read, PLACES)
    return translated(record, plan), plan
