"""Ids of two columns in SQL, whatever their types are, also if one column holds them as floats."""

from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.warehouse.tables.column_types import Form, form_of

_NUMBERS = (Form.WHOLE, Form.NUMBER)


def whole_id_sql(x: str) -> str:
    """A text of an id; a whole number without the point that floats have, as 17850 for 17850.0."""
    return rf"regexp_replace({x}, '^(-?[0-9]+)[.]0+$', '\1')"


def same_id_sql(x: str, column: ShopColumn, y: str, other: ShopColumn) -> str:
    r"""The condition that two columns hold one id, in the SQL of DuckDB and of PostgreSQL.

    Args:
        x: the SQL of a column.
        column: what its values look like.
        y: the SQL of the other column.
        other: likewise.

    >>> floats = ShopColumn("x", "number", 9, 9, 9, float_ids=9)
    >>> whole, text = (ShopColumn("y", "number", 9, 9, 9, type=kind) for kind in ("integer", "text"))
    >>> same_id_sql("a.x", text, "b.y", text), same_id_sql("a.x", text, "b.y", whole)
    ('a.x = b.y', 'cast(a.x as text) = cast(b.y as text)')
    >>> print(same_id_sql("x", floats, "y", floats))
    regexp_replace(x, '^(-?[0-9]+)[.]0+$', '\1') = regexp_replace(y, '^(-?[0-9]+)[.]0+$', '\1')
    """
    forms = form_of(column.type), form_of(other.type)
    if all(form in _NUMBERS for form in forms):
        return f"{x} = {y}"
    if column.type != other.type:
        x, y = _text(x, column), _text(y, other)
    if column.float_ids or other.float_ids or Form.NUMBER in forms:
        x, y = whole_id_sql(x), whole_id_sql(y)
    return f"{x} = {y}"


def _text(x: str, column: ShopColumn) -> str:
    return f"cast({x} as text)" if column.type else x
