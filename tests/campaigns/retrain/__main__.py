"""`python -m tests.campaigns.retrain`: retrain thelook for each month, and print who moves."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.campaigns.retrain.months import Month, retrained
from trainer.steps.presets import PRESETS

LIMIT = 0.05


def main() -> int:
    """Run the campaign; return 1 if a month moves too many users or the segments' ids change, else 0."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.retrain", description=__doc__)
    parser.add_argument("--months", type=int, default=14, help="default: %(default)s")
    parser.add_argument("--preset", choices=list(PRESETS), default="article", help="default: %(default)s")
    options = parser.parse_args()
    print("month     users  by the model  by behaviour  ids              most of them")
    months = []
    with tempfile.TemporaryDirectory() as folder:
        for month in retrained(options.months, PRESETS[options.preset], Path(folder)):
            months.append(month)
            print(line(month), flush=True)
    first = {segment.id for segment in months[0].release.segments}
    ids = {segment.id for month in months for segment in month.release.segments}
    worst = max((moved(month) for month in months[1:]), default=0.0)
    print(
        f"at most {worst:.2%} moved by the model in a month; {len(ids - first)} new ids in {len(months)} "
        "months"
    )
    return int(worst > LIMIT or ids != first)


def moved(month: Month) -> float:
    """Return the share of users that the model moved."""
    assert month.impact is not None
    assert month.impact.by_model is not None
    return month.impact.by_model.share


def line(month: Month) -> str:
    """Return a month's line of the table."""
    ids = " ".join(str(segment.id) for segment in month.release.segments)
    told = f"{month.at:%Y-%m}  {month.release.training.users_used:>7,}"
    impact = month.impact
    if impact is None or impact.by_model is None or impact.by_behaviour is None:
        return f"{told}{'':>28}  {ids}"
    pairs = ", ".join(f"{pair.previous}>{pair.segment} {pair.users}" for pair in impact.by_model.pairs[:3])
    return f"{told}  {impact.by_model.share:>12.2%}  {impact.by_behaviour.share:>12.2%}  {ids:<15}  {pairs}"


if __name__ == "__main__":
    sys.exit(main())
