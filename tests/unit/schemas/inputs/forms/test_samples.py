"""Every sample of every form gives the event, and the state, of the same event in Segue's own form."""

import pytest

from schemas.input_events import Event
from schemas.inputs.decode import decode_order, decode_signup
from schemas.inputs.fields_read import fields_read
from schemas.inputs.forms.event_form import EventForm, NoEvent, Source
from schemas.times import parse
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.inputs.event_samples import EVENTS, FEATURES, PASSED_OVER, SAMPLES, Sample, name_of

AT = parse("2024-06-01T00:00:00Z")
READ = fields_read(FEATURES, statuses=True)
RULES = Rules(features=FEATURES)


def decoded(topic: Source, key: bytes | None, value: bytes | None, form: EventForm | None) -> Event:
    decode = decode_signup if topic == "signups" else decode_order
    return decode(key, value, AT, check_key=False, read=READ, form=form)


def test_every_form_has_samples() -> None:
    assert {sample.form.form for sample in SAMPLES} == {"mapping", "segment", "debezium", "cloudevents"}
    assert {(sample.example, sample.topic) for sample in EVENTS} == {
        (example, topic)
        for example in ("Shopify", "WooCommerce", "Segment and RudderStack", "Debezium", "CloudEvents")
        for topic in ("signups", "orders")
    }


@pytest.mark.parametrize("sample", EVENTS, ids=name_of)
def test_a_sample_gives_the_event_and_the_state_of_segue_s_own_form(sample: Sample) -> None:
    event = decoded(sample.topic, sample.key, sample.value, sample.form)
    own = decoded(sample.topic, None, sample.own, None)
    assert event == own
    state = UserState(own.user_id)
    assert fold(state, event, RULES) == fold(state, own, RULES) != state


@pytest.mark.parametrize("sample", PASSED_OVER, ids=name_of)
def test_what_is_no_event_is_passed_over(sample: Sample) -> None:
    with pytest.raises(NoEvent):
        decoded(sample.topic, sample.key, sample.value, sample.form)
