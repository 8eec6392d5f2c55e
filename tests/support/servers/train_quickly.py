"""Run `segue train` over few rows and resamples: the search for k takes most of the time of a training.

For releases that a test only uses. The release is a real one; its report says less about other numbers of
segments.
"""

import sys

from segue.cli.main import run
from trainer.controls import evaluate

if __name__ == "__main__":
    evaluate.RESAMPLES = 2
    evaluate.SEARCH_ROWS = evaluate.SILHOUETTE_ROWS = 2_000
    sys.exit(run(["train", *sys.argv[1:]]))
