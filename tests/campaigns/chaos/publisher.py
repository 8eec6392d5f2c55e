"""Change the release during a campaign: a routine retrain, a release of another space, rollbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from confluent_kafka import KafkaException

from tests.support.servers.deployment import Deployment, trained
from tests.support.servers.services import eventually

# Kafka may be down or paused in this time.
_PATIENCE_S = 180.0


def train_three(warehouse: Path, folder: Path, exclude: Sequence[str] = ()) -> list[Path]:
    """Train a first release, a retrain half a year later, and a release of another space after that.

    Args:
        exclude: the statuses of orders that do not count; a worker needs a release with its own setting.
    """
    excluding = ("--exclude-statuses", ",".join(exclude)) if exclude else ()
    first = trained(warehouse, folder, "--as-of", "2024-06-01", *excluding)
    second = trained(warehouse, folder, "--current", first, *excluding)
    return [first, second, trained(warehouse, folder, "--current", second, "--refit-space", *excluding)]


class Publisher:
    """Make another published release current."""

    def __init__(self, deployment: Deployment, releases: list[Path], random: Random) -> None:
        self._deployment = deployment
        self._versions = [release.name for release in releases]
        self._random = random
        self._current = self._versions[-1]
        self.kinds: dict[str, tuple[Callable[[], None], int]] = {"another release": (self._switch, 1)}

    def _switch(self) -> None:
        """Roll back to another release; retry while Kafka does not answer, as an operator does."""
        self._current = self._random.choice([v for v in self._versions if v != self._current])
        eventually(
            self._rolled_back, deadline_s=_PATIENCE_S, what=f"release {self._current} is current", every_s=1
        )

    def _rolled_back(self) -> bool:
        if self._deployment.segue("rollback", self._current, check=False).returncode == 0:
            return True
        try:  # the rollback may have worked, even if its answer was lost
            return self._deployment.activations()[-1][1] == self._current
        except KafkaException:
            return False
