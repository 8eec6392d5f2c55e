"""Why no user is left to train on: rows were left out, or ids of two tables do not match."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from trainer.warehouse.checks.quoted_values import quoted
from trainer.warehouse.checks.warehouse_reports import Counts, Rejections
from trainer.warehouse.kinds.warehouse_source import Row
from trainer.warehouse.tables.table_names import Names


@dataclass(slots=True)
class Side:
    """The number of ids on one side of a comparison, and the first few."""

    total: int = 0
    ids: list[str] = field(default_factory=list)

    @property
    def examples(self) -> str:
        """The first few ids, for people."""
        return ", ".join(map(quoted, self.ids))


def sides_of(rows: Iterable[Row]) -> Mapping[str, Side]:
    """The sides, from the rows of ``sql/overlap.sql``."""
    sides = {name: Side() for name in ("profile", "order", "both", "sold", "known", "sold and known")}
    for name, one, total in rows:
        side = sides[str(name)]
        assert isinstance(total, int)
        side.total = total
        side.ids.append(str(one))
    return sides


def cause_of(
    sides: Mapping[str, Side],
    left_out: Sequence[tuple[str, str]],
    rejections: Rejections,
    counts: Counts,
    names: Names,
    *,
    stock_read: bool,
) -> str | None:
    """A sentence with the cause, or None if the rows are not the cause.

    Args:
        sides: the ids of each side, and the ids that match.
        left_out: (table, sentence) for the rows left out, most rows first.
        rejections: the numbers of rows left out.
        counts: the numbers of rows read.
        names: the shop's names of the tables.
        stock_read: whether a feature reads ``inventory_items``; else its ids are not at hand.
    """
    rejected = {
        name: sum(n for (table, _), n in rejections.counts.items() if table == name)
        for name in ("users", "orders")
    }
    read = {"users": counts.signups, "orders": counts.orders}
    emptied = [table for table, count in rejected.items() if count and count >= read[table]]
    if emptied:
        emptied += ["order_items"] if "orders" in emptied else []
        return "left out are " + "; ".join(
            sentence for each in emptied for table, sentence in left_out if table == each
        )
    profile, order = sides["profile"], sides["order"]
    if order.total == 0:
        return f"table {names.describe('orders')} has no rows that count"
    if profile.total and not sides["both"].total:
        return (
            f"no user has both a profile and an order: {names.describe('users')} has ids such as "
            f"{profile.examples}, and {names.describe('orders')} has {order.examples}"
        )
    sold, known = sides["sold"], sides["known"]
    if stock_read and sold.total and not sides["sold and known"].total:
        has = known.examples if known.total else "no rows"
        return (
            f"no item that was sold is known: {names.describe('order_items')} has inventory_item_id "
            f"{sold.examples}, and {names.describe('inventory_items')} has {has}"
        )
    return None
