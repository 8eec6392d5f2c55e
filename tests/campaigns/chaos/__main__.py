"""`python -m tests.campaigns.chaos`: run real servers and workers under faults, then check every user."""

import argparse
import secrets
import sys
import time
from collections.abc import Sequence

from tests.campaigns.chaos.campaign import Campaign, Verdict, run
from tests.support.servers.deployment import WorkerEnded


def main() -> int:
    """Run one campaign; return the exit code: 1 if a promise is broken."""
    options = _options()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    campaign = Campaign(
        seed, options.events, options.faults, options.workers, options.rate, cluster=options.cluster
    )
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began_s:7.1f} s  {text}", file=sys.stderr, flush=True)

    say(
        f"seed {seed}: {campaign.events:,} events at {campaign.pace:,.0f} a second, {campaign.faults} "
        f"faults, {_settings(campaign)}"
    )
    try:
        _tell(run(campaign, say))
    except (AssertionError, WorkerEnded) as error:
        print(f"\nseed {seed}: {error}", file=sys.stderr)
        return 1
    finally:  # even if an interrupt ends the campaign
        print(f"again: {campaign.again}", flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.campaigns.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="decides events and faults; drawn and printed if unset")
    parser.add_argument("--events", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--faults", type=int, default=200, help="default: %(default)s")
    parser.add_argument(
        "--workers", type=int, default=Campaign.WORKERS, choices=(2, 3, 4), help="default: %(default)s"
    )
    parser.add_argument("--rate", type=float, help="events a second; unset: as long as the faults take")
    parser.add_argument(
        "--cluster", action="store_true", help="Redis is a Redis Cluster of three nodes with replicas"
    )
    return parser.parse_args()


def _settings(campaign: Campaign) -> str:
    return ", ".join(
        (
            "a Redis Cluster" if campaign.cluster else "one Redis",
            "re-keying" if campaign.rekey else "without re-keying",
            f"without orders that are {' or '.join(campaign.exclude)}"
            if campaign.exclude
            else "every order counts",
            "after a bootstrap" if campaign.bootstraps else "from the first event",
            *(("with topics made anew",) if campaign.remakes else ()),
            f"min_margin {campaign.min_margin}" if campaign.min_margin else "without a margin",
        )
    )


def _tell(verdict: Verdict) -> None:
    print(
        f"{verdict.events:,} events, {sum(verdict.faults.values())} faults, {verdict.changes:,} changes and "
        f"{verdict.dead_letters:,} dead letters in {verdict.seconds:,.0f} s"
    )
    for kind, count in sorted(verdict.faults.items()):
        print(f"  {count:4} x {kind}")
    print(f"cuts of Redis's tail took {_listed(verdict.cut_bytes)} bytes")
    print(f"replicas lacked {_listed(verdict.behind_bytes)} bytes when they took over")
    print(f"{verdict.users:,} users checked: 0 lost, 0 wrong, 0 invented, 0 twice")


def _listed(counts: Sequence[int]) -> str:
    return ", ".join(f"{count:,}" for count in counts) or "no"


if __name__ == "__main__":
    sys.exit(main())
