"""Which order lines are left out: without a user, cancelled, or of no pieces."""

from trainer.proposal.looks.desk import Desk, in_desk, number_in_desk
from trainer.proposal.looks.sql_values import double_sql
from trainer.proposal.roles.column_roles import Found
from trainer.proposal.table_plan import Filter
from trainer.warehouse.tables.sql_literals import literal

_CANCELLED = "regexp_extract({0}, '^([A-Za-z]+)[0-9]+$', 1)"


def line_filters(lines: Found, desk: Desk, dialect: str, *, flat: bool) -> tuple[Filter, ...]:
    """Find the conditions, each with the number of rows that it leaves out of those before it.

    Args:
        lines: the table of order lines.
        desk: the copies.
        dialect: the warehouse's SQL.
        flat: whether the lines are also the orders, with their users.
    """
    found: list[Filter] = []
    kept: list[str] = []
    user, order, quantity = (lines.roles.get(role) for role in ("user_id", "order_id", "quantity"))
    table = lines.table.place

    def add(filter_: Filter, condition: str) -> None:
        before = " and ".join(kept) or "true"
        count = desk.one(
            f"select count(*) from {table}"  # noqa: S608
            f" where {before} and not coalesce({condition}, true)"
        )
        if count:
            kept.append(f"coalesce({condition}, true)")
            of = "" if lines.table.whole else f" of the first {lines.table.rows:,}"
            rows = "line" if count == 1 else "lines"
            found.append(
                Filter(filter_.column, filter_.condition, f"leaves out {count:,} {rows}{of} {filter_.why}")
            )

    if flat and user is not None:
        add(Filter(user, "{x} is not null", "without a user"), f"{in_desk(user)} is not null")
    if order is not None and quantity is not None:
        prefix = _cancelled_prefix(lines, desk)
        if prefix is not None:
            why = f"of cancelled orders ({order.name} begins with {prefix})"
            text = "cast({x} as text)" if order.is_typed else "{x}"
            like = literal(f"{prefix}%")
            add(Filter(order, f"{text} not like {like}", why), f"{in_desk(order)} not like {like}")
    if quantity is not None:
        pieces = double_sql("{x}", quantity, dialect)
        add(
            Filter(
                quantity,
                f"coalesce({pieces}, 1) > 0",
                f"of no pieces or less ({quantity.name} is not above 0)",
            ),
            f"{number_in_desk(quantity)} > 0",
        )
    return tuple(found)


def _cancelled_prefix(lines: Found, desk: Desk) -> str | None:
    """The letters before the ids of cancelled orders, whose quantities are negative; other ids are digits."""
    order, quantity, table = lines.roles["order_id"], lines.roles["quantity"], lines.table.place
    letters = _CANCELLED.format(in_desk(order))
    pieces = number_in_desk(quantity)
    prefix = desk.text(
        f"select {letters} from {table} where {letters} <> '' group by 1"  # noqa: S608
        f" having avg(case when {pieces} < 0 then 1 else 0 end) > 0.9 order by count(*) desc limit 1"
    )
    if prefix is None:
        return None
    digits = desk.one(
        f"select count(*) from {table}"  # noqa: S608
        f" where regexp_matches({in_desk(order)}, '^[0-9]+$')"
    )
    return prefix if digits > lines.table.rows / 2 else None
