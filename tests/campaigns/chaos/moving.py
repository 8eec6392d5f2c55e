"""A deployment that moves its states from one Redis prefix to the next."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.servers.deployment import Deployment


@dataclass(slots=True)
class MovingDeployment(Deployment):
    """A deployment that counts its ``moves``; new workers and commands use the newest prefix."""

    moves: int = 0

    @property
    def redis_prefix(self) -> str:
        return self.prefix_after(self.moves)

    def prefix_after(self, moves: int) -> str:
        """Return the prefix after so many moves; every prefix begins with the first prefix."""
        return f"{self.prefix}:" if moves == 0 else f"{self.prefix}:{moves}:"
