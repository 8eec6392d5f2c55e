"""`python -m tests.campaigns.terminal`: interrupt every command on real servers, then ten demos."""

import argparse
import random
import sys
import time

from tests.campaigns.terminal.demos import play_demos
from tests.campaigns.terminal.interruptions import interrupt_all


def main() -> int:
    """Run the campaign; return the exit code: 1 if a command ended wrongly."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.terminal", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of interruptions; default: %(default)s")
    parser.add_argument("--demos", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the moments")
    options = parser.parse_args()
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began_s:7.1f} s  {text}", file=sys.stderr, flush=True)

    say(f"seed {options.seed}")
    try:
        count = interrupt_all(random.Random(options.seed), options.rounds, say)
        play_demos(options.demos, say)
    except AssertionError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(
        f"{count} commands interrupted, {options.demos} demos played: no traceback, and every code as it "
        f"should be"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
