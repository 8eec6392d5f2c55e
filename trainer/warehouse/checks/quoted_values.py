"""Values of a shop as a sentence quotes them."""

from schemas.inputs.field_checks import shown


def quoted(value: object) -> str:
    r"""A value on one line, short, and without a character that a terminal would obey.

    >>> print(quoted("\u202ea"))
    "\u202ea"
    """
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown(value))
