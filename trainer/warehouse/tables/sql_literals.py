"""Texts in SQL."""


def literal(text: str) -> str:
    """Return a text as a literal of SQL, for the dialects in which a backslash is a character.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
