"""Read a record in another system's form: the adapters by the names of their forms."""

from collections.abc import Callable, Mapping

from schemas.errors import BadEvent
from schemas.inputs.fields_read import FieldsRead
from schemas.inputs.forms.cloud_event import from_cloudevents
from schemas.inputs.forms.debezium_change import from_debezium, user_id_in_key
from schemas.inputs.forms.event_form import EventForm, FormName, NoEvent, Source
from schemas.inputs.forms.field_paths import Plan
from schemas.inputs.forms.mapped_record import from_mapping
from schemas.inputs.forms.segment_call import from_segment
from schemas.inputs.forms.translate_fields import Fields

Adapter = Callable[[Mapping[str, object], EventForm, Source, FieldsRead], tuple[Fields, Plan]]

ADAPTERS: dict[FormName, Adapter] = {
    "mapping": from_mapping,
    "segment": from_segment,
    "debezium": from_debezium,
    "cloudevents": from_cloudevents,
}


def id_of_null(key: bytes | None, form: EventForm, topic: Source) -> str | None:
    """Return the user whom a record without a value erases; None if the form has no rule of its own.

    Raises:
        BadEvent: the key names no user.
        NoEvent: the record says nothing: Debezium writes it after a deleted row, for compaction.
    """
    if form.form != "debezium":
        return None
    if topic == "orders":
        raise NoEvent
    return user_id_in_key(key, form)


def in_source(error: BadEvent, plan: Plan) -> BadEvent:
    """Return an error with the source's path in place of Segue's."""
    return BadEvent(plan.in_source(error.path), error.problem)
