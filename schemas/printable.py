"""Make text from events safe to print: an id or a brand may hold a control sequence for the terminal.

These characters are escaped: control characters (C0, DEL, C1), line and paragraph separators, marks that
change the direction of writing, and halves of surrogate pairs, which no output can encode.
"""

from __future__ import annotations

import re

_EVERYWHERE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_IN_PROSE = re.compile(f"[{_EVERYWHERE}]")
_IN_A_CELL = re.compile(f"[\t\n{_EVERYWHERE}]")
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def printable(text: str) -> str:
    r"""Escape the characters that are not printable; line ends and tabs stay.

    >>> print(printable("a\x1b[31mb"))
    a\x1b[31mb
    """
    return _IN_PROSE.sub(lambda found: _escape(found[0]), text)


def printable_cell(text: str) -> str:
    r"""Escape also line ends and tabs, for a cell of a table with one row a line.

    >>> print(printable_cell("a\tb"))
    a\tb
    """
    return _IN_A_CELL.sub(lambda found: _escape(found[0]), text)


def printable_json(line: str) -> str:
    r"""Escape these characters in a line of JSON, without a change of its meaning.

    >>> print(printable_json('"a\x9bb"'))
    "a\u009bb"
    """
    return _IN_A_CELL.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def _escape(character: str) -> str:
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
