"""`python -m tests.campaigns.days`: a year of a shop, day by day; every user is compared on every day."""

from __future__ import annotations

import argparse
import sys
from datetime import date, timedelta
from importlib.resources import files

from tests.campaigns.days.shop_days import FEATURE_SETS, ShopDays
from tests.campaigns.days.walk import Day, WrongDay, walk
from trainer.warehouse import open_warehouse

MOST_DECIDED = 2.0
"""How many users may be decided because of a day, for each of them whose decision changes."""

_A_LINE_DAYS = 30


def main() -> int:
    """Run the campaign; return 1 if a user differs or too many users were decided, else 0."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.days", description=__doc__)
    parser.add_argument("--warehouse", default=str(files("segue") / "data" / "thelook"))
    parser.add_argument("--first", type=date.fromisoformat, default=date(2024, 1, 1), help="the first day")
    parser.add_argument("--days", type=int, default=365, help="default: %(default)s")
    parser.add_argument("--features", choices=list(FEATURE_SETS), help="default: each in turn")
    options = parser.parse_args()
    total: list[Day] = []
    for name in FEATURE_SETS if options.features is None else [options.features]:
        try:
            total += _year(name, options.warehouse, options.first, options.days)
        except WrongDay as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
    print(f"in total: {_line(total)}")
    changed = sum(day.changed for day in total)
    if sum(day.decided for day in total) > MOST_DECIDED * changed:
        print(f"Error: more than {MOST_DECIDED:g} users were decided for each change", file=sys.stderr)
        return 1
    return 0


def _year(name: str, warehouse: str, first: date, days: int) -> list[Day]:
    with open_warehouse(warehouse) as opened:
        shop = ShopDays(opened, FEATURE_SETS[name], first)
        names = ", ".join(feature.name for feature in shop.features)
        print(f"{name} ({names}): {days} days from {first} on", flush=True)
        year: list[Day] = []
        for day in walk(shop, days):
            year.append(day)
            if len(year) % _A_LINE_DAYS == 0 or day.day == first + timedelta(days - 1):
                print(f"  up to {day.day}: {_line(year)}", flush=True)
    return year


def _line(days: list[Day]) -> str:
    decided, changed = sum(day.decided for day in days), sum(day.changed for day in days)
    compared, moved = sum(day.users for day in days), sum(day.moved for day in days)
    ratio = f"{decided / changed:.2f}" if changed else "none"
    return (
        f"{compared:,} comparisons, all equal; {decided:,} users decided by time, {changed:,} changed"
        f" (ratio {ratio}), {moved:,} of them to another segment"
    )


if __name__ == "__main__":
    sys.exit(main())
