"""Quotes the shop's values in sentences."""

from schemas.inputs.field_checks import shown


def quoted(value: object) -> str:
    r"""A value on one short line, without control characters for the terminal.

    >>> print(quoted("\u202ea"))
    "\u202ea"
    """
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown(value))
