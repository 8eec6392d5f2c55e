"""What of the forms of events, or of the declared features, is not as it was when the states were made."""

from collections.abc import Iterable, Mapping

from schemas.features import Feature, features_text
from schemas.inputs.forms.event_form import EventForm, EventForms
from schemas.printable import printable_cell

_MAX_NAME, _MAX_VALUE, _MAX_TEXT = 50, 24, 70


def changes_text(made: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Describe for people what was added, removed or changed; empty if nothing was.

    Long names and values are cut, and changes that do not fit are only counted.

    >>> changes_text({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "4", "d": "5"})
    'b is 4, was 2; c is gone; d is new (5)'

    Args:
        made: values by name, as the states were made.
        now: the present ones.
    """
    changes = [_change(name, made.get(name), now.get(name)) for name in {**made, **now}]
    changes = [change for change in changes if change]
    said = 1
    while said < len(changes) and len("; ".join(changes[: said + 1])) <= _MAX_TEXT:
        said += 1
    more = len(changes) - said
    return "; ".join(changes[:said]) + (f"; and {more} more" if more > 0 else "")


def forms_by_name(forms: EventForms) -> dict[str, str]:
    """Return all that the forms say, by the name in the settings.

    >>> forms_by_name(EventForms(orders=EventForm(paths=(("user_id", "customer.id"),))))
    {'orders.form': 'mapping', 'orders.user_id': 'customer.id'}
    """
    topics = (("signups", forms.signups), ("orders", forms.orders))
    return {name: text for topic, form in topics if form for name, text in _form(topic, form).items()}


def features_by_name(features: Iterable[Feature]) -> dict[str, str]:
    """Return what each feature computes, by its name.

    >>> features_by_name([Feature("total_spend", "sum", "order_value")])
    {'total_spend': 'sum of order_value'}
    """
    return {feature.name: features_text([feature]).partition(" = ")[2] for feature in features}


def _form(topic: str, form: EventForm) -> dict[str, str]:
    found = {f"{topic}.form": form.form} | {f"{topic}.{name}": path for name, path in form.paths}
    for name, pairs in form.values:
        found |= {f"{topic}.values.{name}.{value}": ours for value, ours in pairs}
    if form.dates is not None:
        found[f"{topic}.dates"] = form.dates
    if form.decimal != ".":
        found[f"{topic}.decimal"] = form.decimal
    return found


def _change(name: str, was: str | None, is_now: str | None) -> str:
    if was == is_now:
        return ""
    name = _cut(name, _MAX_NAME)
    if is_now is None:
        return f"{name} is gone"
    if was is None:
        return f"{name} is new ({_cut(is_now, _MAX_VALUE)})"
    return f"{name} is {_cut(is_now, _MAX_VALUE)}, was {_cut(was, _MAX_VALUE)}"


def _cut(text: str, limit: int) -> str:
    text = printable_cell(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
