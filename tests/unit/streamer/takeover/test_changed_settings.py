"""The words about changed forms of events and changed features: only what differs, and short."""

import pytest

from schemas.errors import NeedsRebuild
from schemas.features import Feature
from schemas.inputs.forms.event_form import EventForm, EventForms
from streamer.place.place import FoldSettings
from streamer.takeover.changed_settings import changes_text, forms_by_name
from streamer.takeover.starting_point import check_settings

LONG = "one.very.long.path.with.many.parts.that.nobody.reads"
ORDERS = EventForm(
    "mapping",
    (("country", LONG), ("status", "state"), ("user_id", "customer.id")),
    (("status", (("paid", "Complete"), ("sent", "Shipped"))),),
    "unix",
)


def refusal(made: FoldSettings, now: FoldSettings) -> str:
    with pytest.raises(NeedsRebuild) as error:
        check_settings(made, now)
    return str(error.value)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (
            EventForm("mapping", (*ORDERS.paths[:2], ("user_id", "buyer.id")), ORDERS.values, "unix"),
            "orders.user_id is buyer.id, was customer.id",
        ),
        (EventForm("mapping", ORDERS.paths[:2], ORDERS.values, "unix"), "orders.user_id is gone"),
        (EventForm("debezium", ORDERS.paths, ORDERS.values, "unix"), "orders.form is debezium, was mapping"),
        (
            EventForm("mapping", ORDERS.paths, (("status", (("paid", "Complete"), ("sent", "On"))),), "unix"),
            "orders.values.status.sent is On, was Shipped",
        ),
        (EventForm("mapping", ORDERS.paths, ORDERS.values), "orders.dates is gone"),
        (EventForm("mapping", ORDERS.paths, ORDERS.values, "unix_ms"), "orders.dates is unix_ms, was unix"),
        (
            EventForm("mapping", ORDERS.paths, ORDERS.values, "unix", ","),
            "orders.decimal is new (,)",
        ),
        (None, "orders.form is gone; orders.country is gone; orders.status is gone; and 4 more"),
    ],
)
def test_a_refusal_names_only_what_differs_in_a_form(now: EventForm | None, said: str) -> None:
    made = FoldSettings(4, events=EventForms(EventForm("segment"), ORDERS))
    message = refusal(made, FoldSettings(4, events=EventForms(EventForm("segment"), now)))
    assert message.startswith(f"setting events has changed since the states were made: {said}: rebuild")


def test_a_refusal_names_only_the_features_that_differ() -> None:
    spent, last = Feature("spent", "sum", "price"), Feature("newest", "last", "order.channel")
    made, now = FoldSettings(4, declared=(spent, last)), FoldSettings(4, declared=(last,))
    assert "made: spent is gone: rebuild" in refusal(made, now)
    assert "made: spent is new (sum of price): rebuild" in refusal(now, made)
    mean = FoldSettings(4, declared=(Feature("spent", "mean", "price"), last))
    assert "made: spent is mean of price, was sum of price: rebuild" in refusal(made, mean)


def test_a_refusal_stays_short_however_much_differs() -> None:
    features = tuple(Feature(f"a_feature_with_a_long_name_{n}", "sum", f"order.{LONG}{n}") for n in range(64))
    message = refusal(FoldSettings(4), FoldSettings(4, declared=features))
    assert "; and 63 more: rebuild the states" in message
    assert len(message) < 260
    message = refusal(FoldSettings(4, events=EventForms(ORDERS, ORDERS)), FoldSettings(4))
    assert len(message) < 260


def test_long_names_and_values_are_cut() -> None:
    said = changes_text({"n" * 51: "v" * 24}, {"n" * 51: "w" * 25})
    assert said == f"{'n' * 49}… is {'w' * 23}…, was {'v' * 24}"


def test_values_of_a_form_are_safe_for_a_terminal() -> None:
    form = EventForm(values=(("status", (("a\x1b[31m\n", "b\x9b"),)),))
    said = changes_text({"signups.form": "mapping"}, forms_by_name(EventForms(form)))
    assert said == r"signups.values.status.a\x1b[31m\n is new (b\x9b)"
