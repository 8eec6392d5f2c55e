"""Run `segue train` over few rows and resamples: the search for k takes most of the time of a training.

For releases that a test only uses. The release is a real one; its report says less about other numbers of
segments. The command runs in this process, as loading the trainer takes longer than a small training.
"""

from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from segue.cli.main import run
from trainer.controls import evaluate


def train_quickly(arguments: Sequence[str], folder: Path) -> Path:
    """Train in this working directory; return the folder of the release."""
    out, err = StringIO(), StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.setattr(evaluate, "RESAMPLES", 2)
        patch.setattr(evaluate, "SEARCH_ROWS", 2_000)
        patch.setattr(evaluate, "SILHOUETTE_ROWS", 2_000)
        code = run(["train", *arguments])
    assert code == 0, err.getvalue()
    return folder / out.getvalue().strip().splitlines()[-1]
