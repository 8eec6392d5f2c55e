"""Sentences about numbers that the values leave open: what a mark means, and several currencies."""

from collections.abc import Iterable, Iterator

from schemas.printable import printable_cell
from trainer.proposal.looks.desk import Desk, in_desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.written.number_forms import CURRENCIES

# The signs that the reading takes off, with the codes that mean the same.
_CURRENCY = rf"\p{{Sc}}|{CURRENCIES}"
_SAME = (
    "case {} when 'EUR' then '€' when 'USD' then '$' when 'GBP' then '£' when 'PLN' then 'zł'"
    " when 'zl' then 'zł' when 'CZK' then 'Kč' when 'HUF' then 'Ft' when 'INR' then '₹'"
    " when 'JPY' then '¥' when '￥' then '¥' when '円' then '¥' else {} end"
)


def number_checks(columns: Iterable[ShopColumn], desk: Desk) -> Iterator[str]:
    """Say what no value of a column decides.

    Args:
        columns: the columns that are read as numbers.
        desk: the copies, to look at all values.
    """
    texts = [column for column in dict.fromkeys(columns) if not column.is_typed]
    comma = any(column.number.decimal == "," and marked(column, ",", desk) is not None for column in texts)
    for column in texts:
        sentences = (_unclear_mark(column, desk, beside_comma=comma), _currencies(column, desk))
        yield from (f"{printable_cell(column.name)}: {one}" for one in sentences if one is not None)


def marked(column: ShopColumn, mark: str, desk: Desk, condition: str = "true") -> str | None:
    """A value with a mark before a digit for which a condition on {x} holds; None if there is none."""
    x, table = in_desk(column), column.place.partition(".")[0]
    return desk.text(
        f"select min({x}) from {table}"  # noqa: S608 - our names
        f" where regexp_matches({x}, '[{mark}][0-9]') and {condition.format(x=x)}"
    )


def _unclear_mark(column: ShopColumn, desk: Desk, *, beside_comma: bool) -> str | None:
    form = column.number
    if not form.unclear and not (beside_comma and _may_be_thousands(column, desk)):
        return None
    mark, name = (",", "comma") if form.thousands and form.decimal == "." else (".", "point")
    sample = printable_cell(marked(column, mark, desk) or column.samples[0])
    if not form.thousands:
        read = "decimals, so take it out by replace(…, '.', '')"
    elif mark == ",":
        read = "thousands, so write replace(…, ',', '.')"
    else:
        read = "thousands, so leave the point where it is"
    beside = ", and other columns have a decimal comma" if beside_comma and mark == "." else ""
    return (
        f"no value says whether the {name} stands before decimals or thousands (such as {sample}){beside};"
        f" it is read as {read} in a query where that is wrong"
    )


def _may_be_thousands(column: ShopColumn, desk: Desk) -> bool:
    """Whether each point of a column that is read as decimals could stand between thousands."""
    if column.number.decimal == "," or column.number.thousands or marked(column, ".", desk) is None:
        return False
    decimals = "not regexp_matches({x}, '(^|[^0-9.])[1-9][0-9]{{0,2}}[.][0-9]{{3}}($|[^0-9])')"
    return marked(column, ".", desk, decimals) is None


def _currencies(column: ShopColumn, desk: Desk) -> str | None:
    if not column.number.signs:
        return None
    x, table = in_desk(column), column.place.partition(".")[0]
    sign = f"regexp_extract({x}, '{_CURRENCY}')"
    counted = (
        f"select {_SAME.format(sign, sign)} as sign, count(*) as n from {table}"  # noqa: S608 - our names
        f" where {sign} <> '' group by 1"
    )
    if desk.one(f"select count(*) from ({counted})") < 2:  # noqa: S608
        return None
    shares = desk.text(
        "select string_agg(format('{} ({:,})', sign, n), ', ' order by n desc, sign)"  # noqa: S608
        f" from ({counted})"
    )
    return (
        f"several currencies stand in one column, by number of values {shares}, and their amounts"
        " are added as if they were one; convert them by case, or read one currency by where, in a query"
    )
