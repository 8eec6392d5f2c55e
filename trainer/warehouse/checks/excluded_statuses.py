"""Excluded statuses that no order has: most likely they are spelled otherwise in the warehouse."""

from collections.abc import Sequence

from trainer.warehouse.checks.quoted_values import quoted


def unknown_statuses(excluded: Sequence[str], found: Sequence[str], most: int) -> list[str]:
    """Return a sentence for people if no order has one of the excluded statuses.

    >>> unknown_statuses(["Cancelled"], ["Complete", "cancelled"], 5)
    ['no order has the status "Cancelled" of exclude_statuses: orders have "Complete", "cancelled"']

    Args:
        excluded: the statuses that should not count.
        found: the statuses of the orders; more than ``most`` if there are others.
        most: how many of them the sentence names.
    """
    if not (unknown := [status for status in excluded if status not in found]):
        return []
    others = sorted(found, key=lambda status: status in excluded)
    named = ", ".join(map(quoted, others[:most])) + (" and others" if len(others) > most else "")
    have = f"orders have {named or 'no status'}"
    which = " or ".join(quoted(status) for status in unknown)
    return [f"no order has the status {which} of exclude_statuses: {have}"]
