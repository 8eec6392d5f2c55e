"""Good events with ids and texts that break many programs; the contract allows all of them."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from schemas.input_events import Event, Item, Order, Signup
from schemas.inputs.field_checks import MAX_ID_BYTES, MAX_TEXT_BYTES

# A number replaces ``#``. The product does not trim, fold or normalise, so all of these texts differ.
FORMS = (
    "#",
    "0#",
    "#\x00",
    "\x00#",
    "#:o",
    "user:#",
    "o:#",
    " #",
    "# ",
    "#\n",
    "\r\n#",
    "\t#\u00a0",
    "\U0001f600#",
    "\ufeff#",
    "\u00e9#",
    "e\u0301#",
    "\u202e#\u202c",
    "\u200f#",
    "\u200b#",
    "\u2028#",
    "\ufdfa#",
    "\uffff#",
    "\x7f#",
    "{#}",
    "{#}:{",
    "*#*",
    "[#]?^\\",
    '"#"',
    "\\u0000#",
    "#/#/#",
    "null#",
    "</script>#",
    "'; FLUSHALL #",
)
_PLAIN = 0.5


def filled(form: str, number: int, limit: int | None = None) -> str:
    """Return a form with its number; with a limit, pad the text to so many bytes."""
    text = form.replace("#", str(number))
    if limit is None:
        return text
    padded = text + "\u00e9" * ((limit - len(text.encode())) // 2)
    return padded + "x" * (limit - len(padded.encode()))


def strange_id(number: int) -> str:
    """Return an id for a number, a third of the ids with full length; different numbers differ."""
    number, form = divmod(number, len(FORMS))
    return filled(FORMS[form], number, MAX_ID_BYTES if number % 3 == 2 else None)


def disguised(event: Event) -> Event:
    """Return the event with strange ids and texts; equal events give equal results."""
    user_id = strange_id(int(event.user_id))
    if isinstance(event, Order):
        # All versions of an order have the same id, and orders of different users may share an id.
        number = 5 * int(event.user_id) + int(event.order_id.partition("-")[2])
        order_id = strange_id(number % 400)
        random = Random(repr(event))
        items = tuple(_item(item, random) for item in event.items)
        return replace(event, user_id=user_id, order_id=order_id, items=items)
    if isinstance(event, Signup):
        random = Random(repr(event))
        return replace(
            event, user_id=user_id, country=_text(event.country, random), gender=_text(event.gender, random)
        )
    return replace(event, user_id=user_id)


def _item(item: Item, random: Random) -> Item:
    return replace(
        item,
        brand=_text(item.brand, random),
        category=_text(item.category, random),
        product_id=random.choice((None, strange_id(random.randrange(1_000)))),
    )


def _text(text: str | None, random: Random) -> str | None:
    """Return the same text half of the time, else a text unknown to training, sometimes of full length."""
    if text is None or random.random() < _PLAIN:
        return text
    limit = MAX_TEXT_BYTES if random.random() < 0.05 else None
    return filled(random.choice(FORMS), random.randrange(3), limit)
