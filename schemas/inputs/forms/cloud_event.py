"""CloudEvents 1.0 in structured mode: the event is the ``data``. (In binary mode the value is the event.)

Source: CloudEvents, JSON Event Format 1.0.2, section 3.
"""

import base64
import binascii
from collections.abc import Mapping

from msgspec.structs import replace

from schemas.errors import BadEvent
from schemas.inputs import field_checks, json_text
from schemas.inputs.fields_read import FieldsRead
from schemas.inputs.forms.event_form import EventForm, Source
from schemas.inputs.forms.field_paths import Places, Plan, plan_of
from schemas.inputs.forms.translate_fields import Fields, translated

PLACES = Places(shown="data.")
_ERASURE_NAMES = {name: f"data.{name}" for name in ("user_id", "erased_at", "event_id")}


def from_cloudevents(
    envelope: Mapping[str, object], form: EventForm, topic: Source, read: FieldsRead
) -> tuple[Fields, Plan]:
    """Return the event in Segue's own form, and where its fields were.

    Data of the type ``user.erased``, by its own field or the envelope's, is Segue's own erasure.

    Args:
        envelope: the record's JSON.
        form: the topic's form; it may have paths to fields.
        topic: what the record's topic holds.
        read: what features read.

    Raises:
        BadEvent: the record is no CloudEvent in structured mode, or its data cannot be read.
    """
    if not isinstance(envelope.get("specversion"), str):
        raise BadEvent("specversion", "is missing: the record is no CloudEvent in structured mode")
    data = _data(envelope)
    plan = plan_of(form, topic, read, PLACES)
    if topic == "signups" and field_checks.ERASED_TYPE in (data.get("type"), envelope.get("type")):
        fields = {**data, "type": field_checks.ERASED_TYPE}
        plan = replace(plan, names=_ERASURE_NAMES)  # an erasure has Segue's own fields, and no path
    else:
        field_checks.not_deleted(data, "send an event of type user.erased, or an order with a status")
        fields = translated(data, plan)
    if fields.get("event_id") is None:
        fields["event_id"] = envelope.get("id")
        plan = replace(plan, names={**plan.names, "event_id": "id"})
    return fields, plan


def _data(envelope: Mapping[str, object]) -> Mapping[str, object]:
    data, encoded = envelope.get("data"), envelope.get("data_base64")
    if encoded is not None:
        if data is not None:
            raise BadEvent(
                "data_base64", "stands beside data, and only one of them can be the event: send one"
            )
        if not isinstance(encoded, str):
            raise BadEvent("data_base64", f"{field_checks.shown(encoded)} is not text in base64")
        try:
            data = json_text.load(base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError):
            raise BadEvent("data_base64", f"{field_checks.shown(encoded)} is not base64") from None
        except BadEvent as error:
            raise BadEvent("data_base64", error.problem) from None
    if data is None:
        raise BadEvent("data", "is missing")
    if not isinstance(data, Mapping):
        raise BadEvent("data", f"{field_checks.shown(data)} is not an object")
    return data
