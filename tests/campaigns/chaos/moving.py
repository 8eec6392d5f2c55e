"""A deployment whose states move from one Redis prefix to the next."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.servers.deployment import Deployment


@dataclass(slots=True)
class MovingDeployment(Deployment):
    """``moves`` counts the moves of the states. New workers and commands use the newest prefix."""

    moves: int = 0

    @property
    def redis_prefix(self) -> str:
        return self.prefix_after(self.moves)

    def prefix_after(self, moves: int) -> str:
        """The prefix after so many moves. All of them begin as the first one does."""
        return f"{self.prefix}:" if moves == 0 else f"{self.prefix}:{moves}:"
