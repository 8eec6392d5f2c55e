"""The ways that `make bench` compares."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.rounds.run_program import ROOT

PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
PARTITIONS = 4
SEGUE = "Segue"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to apply the events.

    Attributes:
        name: the name in the table.
        keeps: where the users of a steady shop are: ``bare`` in Redis, in the form of :mod:`benchmarks.bare`;
            ``own`` in the way's own form, so the way must apply their past itself.
        module: the program; None for Segue's worker.
        python: the program's interpreter.
        lanes: the program's threads, or the processes of Segue's worker.
        batch: the most events of a batch.
        fraction: the way takes this part of the events. A slow way takes few, because figures are per event.
        package: what the interpreter must have, if it is not the project's.
        one_topic: signups and orders come on one topic.
        unlike: what the way does not do, or does otherwise.
    """

    name: str
    keeps: Literal["bare", "own"]
    module: str | None
    python: str = sys.executable
    lanes: int = 1
    batch: int = 1_000
    fraction: float = 1.0
    package: str | None = None
    one_topic: bool = False
    unlike: str = ""

    def missing(self) -> str | None:
        """Why the way cannot run here; None if it can."""
        if self.package is None:
            return None
        if not Path(self.python).exists():
            return f"{Path(self.python).parents[1].name} is missing, `make bench` makes it"
        done = subprocess.run(
            [self.python, "-c", f"import {self.package}"], capture_output=True, text=True, check=False
        )
        return (done.stderr.strip().splitlines() or ["it failed"])[-1] if done.returncode else None


_PEERS = str(PEERS_PYTHON)
_WAYS = "benchmarks.ways"

WAYS = (
    Way(
        "limit, 1 thread",
        "bare",
        f"{_WAYS}.limit",
        unlike="no dead letters, no takeover, one version of an order",
    ),
    Way("limit, 4 lanes", "bare", f"{_WAYS}.limit", lanes=PARTITIONS),
    Way(SEGUE, "own", None),
    Way("Segue, 2 processes", "own", None, lanes=2),
    Way(
        "Bytewax, batched",
        "bare",
        f"{_WAYS}.bytewax_flow",
        _PEERS,
        package="bytewax",
        unlike="no transactions, no fence",
    ),
    Way(
        "Bytewax, per event",
        "bare",
        f"{_WAYS}.bytewax_flow",
        _PEERS,
        batch=1,
        package="bytewax",
        unlike="no transactions, no fence",
    ),
    Way(
        "Quix Streams",
        "own",
        f"{_WAYS}.quix",
        _PEERS,
        package="quixstreams",
        one_topic=True,
        unlike="one input topic; the index of similar users is outside its transaction",
    ),
    Way(
        "article, per event",
        "bare",
        f"{_WAYS}.article_each",
        fraction=1 / 32,
        unlike="other segments (it encodes each row anew), no transactions",
    ),
)
