"""Column types of any warehouse, and how their values become text."""

import re
from enum import Enum, auto


class Form(Enum):
    """How the values of a type become text."""

    TEXT = auto()
    BYTES = auto()  # must be decoded as UTF-8
    WHOLE = auto()
    NUMBER = auto()  # may hold fractions
    OTHER = auto()  # a date or a boolean: becomes text, but is neither a number nor an id
    NONE = auto()  # a list or a document: cannot be a field of an event


_TYPES: tuple[tuple[Form, str], ...] = (
    # Lists come first, whatever their elements. DuckDB quotes the type of a column that has only nulls.
    (Form.NONE, r".*\]|array\b.*"),
    (Form.WHOLE, r'"null"|null'),
    (
        Form.TEXT,
        (
            r'(n?var)?char\b.*|character\b.*|bpchar|"char"|name|text|tinytext|string\b.*|([^ ]+\.)?citext'
            r"|uuid|enum\b.*"
        ),
    ),
    (Form.BYTES, r"blob|bytea|bytes\b.*|(var)?binary\b.*"),
    (Form.WHOLE, r"u?(tiny|small|big|huge)?int(eger)?|int(1|2|4|8|16|32|64|128)|u?byteint|long|short|oid"),
    (Form.WHOLE, r"(decimal|numeric|bignumeric|bigdecimal|number)\(\d+(, ?0)?\)"),
    (
        Form.NUMBER,
        (
            r"(decimal|numeric|bignumeric|bigdecimal|number)\b.*|double( precision)?|real|float(4|8|64)?"
            r"|decfloat"
        ),
    ),
    (Form.OTHER, r"bool(ean)?|date|datetime|time\b.*|timestamp.*"),
)
_FORMS = tuple((form, re.compile(pattern, re.IGNORECASE)) for form, pattern in _TYPES)


def form_of(kind: str) -> Form:
    """How the values of a type become text; ``NONE`` for an unknown type.

    >>> form_of("VARCHAR"), form_of("numeric(10,2)"), form_of("text[]"), form_of("BLOB")
    (<Form.TEXT: 1>, <Form.NUMBER: 4>, <Form.NONE: 6>, <Form.BYTES: 2>)
    """
    return next((form for form, pattern in _FORMS if pattern.fullmatch(kind)), Form.NONE)
