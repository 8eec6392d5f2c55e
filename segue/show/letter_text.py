"""Keys and values of dead letters, short and safe to print."""

from __future__ import annotations

from schemas.printable import printable_cell

_SHOWN = 60


def bytes_words(data: bytes | None, most: int = _SHOWN) -> str:
    """Return the beginning of a key or a value as text; `null` without one.

    Args:
        data: the bytes.
        most: the most characters; a longer text ends with `…`.

    >>> [bytes_words(data, 4) for data in (None, b"7", b"12345")]
    ['null', '7', '123…']
    """
    if data is None:
        return "null"
    text = printable_cell(data[: 4 * most].decode(errors="replace"))
    return text if len(text) <= most else f"{text[: most - 1]}…"
