"""`python -m tests.campaigns.drift`: false alarms over 52 weeks of thelook, and how soon a shift is seen."""

import argparse
import random
import sys
from importlib.resources import files

import pyarrow as pa

from tests.campaigns.drift.weeks import everybody_older, look, older, pairs, weekly
from trainer.controls.profile import profile_of
from trainer.steps.presets import PRESETS
from trainer.warehouse import open_warehouse

YEARS = 20
GAPS = (1, 4, 13, 26, 52)


def main() -> int:
    """Run the campaign; return 1 if a week after a training alarms, or a shift is not seen, else 0."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.drift", description=__doc__)
    shop = str(files("segue") / "data" / "thelook")
    parser.add_argument("--warehouse", default=shop, help="default: the demo's shop")
    parser.add_argument("--weeks", type=int, default=52, help="default: %(default)s")
    options = parser.parse_args()
    settings = PRESETS["article"]
    with open_warehouse(options.warehouse) as warehouse:
        tables = weekly(warehouse, settings, options.weeks)
    profiles = [profile_of(table, settings.names) for table in tables]
    drawn = random.Random(7)
    print(f"{options.weeks} weeks, {tables[0].num_rows:,} to {tables[-1].num_rows:,} users who could train")
    print("weeks since training  checks  alarms  highest index")
    false = 0
    for gap in GAPS:
        looks = [look(profiles[i], tables[j], gap, drawn) for i, j in pairs(len(tables), gap)]
        if not looks:
            continue
        alarms = sum(bool(one.drifted) for one in looks)
        false += alarms if gap == 1 else 0
        index, name = max((index, name) for one in looks for name, (index, _) in one.indices.items())
        print(f"{gap:>20}  {len(looks):>6}  {alarms:>6}  {index:.4f} {name}")
    week = seen_after(tables, drawn)
    at_once = "age" in look(profiles[0], everybody_older(tables[0], YEARS), 0, drawn).drifted
    print(f"ages of new users {YEARS} years higher: {'not seen' if week is None else f'seen in week {week}'}")
    print(f"all ages {YEARS} years higher: {'seen' if at_once else 'not seen'} at the next check")
    return int(bool(false) or week is None or not at_once)


def seen_after(tables: list[pa.Table], drawn: random.Random) -> int | None:
    """Return the first week in which the ages of the users since the first week are seen as drift."""
    profile = profile_of(tables[0], ["age"])
    for week, table in enumerate(tables[1:], 1):
        if look(profile, older(table, tables[0], YEARS), week, drawn).drifted:
            return week
    return None


if __name__ == "__main__":
    sys.exit(main())
