"""How fast a sweep may go: so many users a second, in batches small enough that events do not wait for them."""

# A batch holds what this many seconds allow.
_BATCH_S = 0.2


class Pace:
    """Batches of ``users`` users each, begun at the pace of ``per_s`` users a second at most."""

    def __init__(self, per_s: float, most: int) -> None:
        """
        Args:
            most: how many users one batch may hold.
        """
        self.users = max(1, int(min(most, per_s * _BATCH_S)))
        self._interval_s = self.users / per_s
        self._due_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """How long until the next batch may begin; ``now_s`` is on any clock that only goes forward."""
        return 0.0 if self._due_s is None else max(0.0, self._due_s - now_s)

    def began(self, now_s: float) -> None:
        """A batch begins now."""
        self._due_s = now_s + self._interval_s
