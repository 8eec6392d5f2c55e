"""What values say where names say nothing: ids that tables share, and columns that go together."""

from trainer.proposal.looks.desk import Desk, in_desk, number_in_desk, time_in_desk
from trainer.proposal.looks.same_ids import whole_id_sql
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.roles.column_roles import says_nothing
from trainer.proposal.roles.personal_data import AN_ID, personal

_NEARLY_ALL = 0.98
_ENOUGH_GROUPS = 5
_FEWEST_REFERRED = 0.3
_FEW_PIECES = 20
_AGES = (10, 100)
_FEWEST_AGES = 12
_YEARS_OF_BIRTH = 10


def may_be_id(column: ShopColumn, desk: Desk) -> bool:
    """Whether a column may be an id: its name says nothing else, and its values are short and no amounts."""
    number = column.number
    return (
        column.kind in ("number", "text")
        and column.distinct > 1
        and column.filled >= column.rows / 2
        and says_nothing(column.name, of_an_id=True)
        and not (number.signs or number.thousands or has_decimals(column, desk))
        and personal(column, of_users=True) in (None, AN_ID)
    )


def has_decimals(column: ShopColumn, desk: Desk) -> bool:
    """Whether numbers of a column are not whole."""
    x = number_in_desk(column)
    return column.kind == "number" and _count(column, f"{x} <> floor({x})", desk) > 0


def are_few(column: ShopColumn, desk: Desk) -> bool:
    """Whether a column's values are small whole numbers, as a quantity's."""
    return _share_within(column, 1, _FEW_PIECES, desk) >= 0.8


def are_ages(column: ShopColumn, desk: Desk) -> bool:
    """Whether a column's values are whole numbers from 10 to 100, several of them in more than one row."""
    return (
        column.distinct > _FEWEST_AGES
        and not column.unique
        and _share_within(column, *_AGES, desk) >= _NEARLY_ALL
    )


def _share_within(column: ShopColumn, least: int, most: int, desk: Desk) -> float:
    if column.kind != "number" or column.number.signs or has_decimals(column, desk):
        return 0
    return _count(column, f"{number_in_desk(column)} between {least} and {most}", desk) / column.filled


def refers(column: ShopColumn, key: ShopColumn, desk: Desk) -> float:
    """How much of a key a column refers to.

    Returns:
        The share of the key's values that the column has; 0 if the column has others, or too few. Small
        whole numbers and ages are in many keys by chance: they must be all of the key.
    """
    if not key.unique or column.kind != key.kind:
        return 0
    a, b = (
        f"select distinct {whole_id_sql(in_desk(c))} as v from {_table(c)}"  # noqa: S608
        for c in (column, key)
    )
    both = desk.one(f"select count(*) from ({a}) as a inner join ({b}) as b using (v)")  # noqa: S608
    share = both / key.distinct
    fewest = _NEARLY_ALL if are_few(column, desk) or are_ages(column, desk) else _FEWEST_REFERRED
    return share if both >= _NEARLY_ALL * column.distinct and share >= fewest else 0


def goes_with(column: ShopColumn, group: ShopColumn, desk: Desk) -> bool:
    """Whether nearly all rows with one value of ``group`` have one value of the column."""
    several, one = _groups(column, group, desk)
    return one >= _NEARLY_ALL * several


def groups_rows(group: ShopColumn, time: ShopColumn, desk: Desk) -> bool:
    """Whether several rows with one id have one time, as the lines of an order, and not by chance."""
    several, one = _groups(time, group, desk)
    return several >= _ENOUGH_GROUPS and one >= _NEARLY_ALL * several


def numbers_lines(column: ShopColumn, order_id: ShopColumn, desk: Desk) -> bool:
    """Whether no two lines of an order have the same value, as the number of a line."""
    pairs = f"select distinct {in_desk(order_id)}, {in_desk(column)} from {_table(column)}"  # noqa: S608
    return desk.one(f"select count(*) from ({pairs})") == column.rows > order_id.distinct  # noqa: S608


def is_product(total: ShopColumn, price: ShopColumn, quantity: ShopColumn, desk: Desk) -> bool:
    """Whether a total is the price times the quantity in nearly all rows, and not always of one piece."""
    t, p, q = (number_in_desk(column) for column in (total, price, quantity))
    several = _count(total, f"abs({t} - {p} * {q}) < 0.011 and {q} <> 1", desk)
    return several > 0 and _count(total, f"abs({t} - {p} * {q}) < 0.011", desk) >= _NEARLY_ALL * total.rows


def are_births(dates: ShopColumn, orders: ShopColumn, desk: Desk) -> bool:
    """Whether all dates lie years before the first order."""
    last, first = (
        f"(select {of}({time_in_desk(c)}) from {_table(c)})"  # noqa: S608
        for of, c in (("max", dates), ("min", orders))
    )
    return desk.one(f"select date_diff('year', {last}, {first})") >= _YEARS_OF_BIRTH


def _groups(column: ShopColumn, group: ShopColumn, desk: Desk) -> tuple[int, int]:
    """How many values of ``group`` have several rows, and how many of these one value of the column."""
    g, x = in_desk(group), in_desk(column)
    each = (
        f"select min({x}) = max({x}) as one from {_table(group)}"  # noqa: S608
        f" where {g} is not null and {x} is not null group by {g} having count(*) > 1"
    )
    several = desk.one(f"select count(*) from ({each})")  # noqa: S608
    return several, desk.one(f"select count(*) from ({each}) where one")  # noqa: S608


def _count(column: ShopColumn, condition: str, desk: Desk) -> int:
    return desk.one(f"select count(*) from {_table(column)} where {condition}")  # noqa: S608


def _table(column: ShopColumn) -> str:
    return column.place.partition(".")[0]
