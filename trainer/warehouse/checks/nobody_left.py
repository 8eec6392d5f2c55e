"""Why nobody is left to train on: rows that were left out, or ids that do not meet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from trainer.warehouse.checks.quoted_values import quoted
from trainer.warehouse.checks.warehouse_reports import Counts, Rejections
from trainer.warehouse.kinds.warehouse_source import Row
from trainer.warehouse.tables.table_names import Names


@dataclass(slots=True)
class Side:
    """How many ids one side has, and the first few."""

    total: int = 0
    ids: list[str] = field(default_factory=list)

    @property
    def told(self) -> str:
        """The first few, for people."""
        return ", ".join(map(quoted, self.ids))


def sides_of(rows: Iterable[Row]) -> Mapping[str, Side]:
    """The rows of ``sql/overlap.sql``."""
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
) -> str | None:
    """One sentence, or None where the rows are as they should be.

    Args:
        sides: which ids meet.
        left_out: by table, what was left out, the most rows first.
        rejections: the same in numbers.
        counts: how much was read.
        names: what the shop calls its tables.
    """
    rejected = {
        name: sum(n for (table, _), n in rejections.counts.items() if table == name)
        for name in ("users", "orders")
    }
    read = {"users": counts.signups, "orders": counts.orders}
    told = [table for table, count in rejected.items() if count and count >= read[table]]
    if told:
        told += ["order_items"] if "orders" in told else []
        return "left out are " + "; ".join(
            sentence for one in told for table, sentence in left_out if table == one
        )
    profile, order = sides["profile"], sides["order"]
    if order.total == 0:
        return f"table {names.told('orders')} has no rows that count"
    if profile.total and not sides["both"].total:
        return (
            f"no user has both a profile and an order: {names.told('users')} has ids such as "
            f"{profile.told}, and {names.told('orders')} has {order.told}"
        )
    sold, known = sides["sold"], sides["known"]
    if sold.total and not sides["sold and known"].total:
        has = known.told if known.total else "no rows"
        return (
            f"no item that was sold is known: {names.told('order_items')} has inventory_item_id {sold.told}, and "
            f"{names.told('inventory_items')} has {has}"
        )
    return None
