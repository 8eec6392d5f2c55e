"""The pace of a sweep: a limit of users a second, in batches so small that events do not wait long."""

# The most users in a batch are the users of this many seconds.
_BATCH_S = 0.2


class Pace:
    """Batches of ``users`` users each, begun at a pace of at most ``per_s`` users a second."""

    def __init__(self, per_s: float, most: int) -> None:
        """
        Args:
            per_s: the most users a second.
            most: the most users in one batch.
        """
        self.users = max(1, int(min(most, per_s * _BATCH_S)))
        self._interval_s = self.users / per_s
        self._due_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """The seconds until the next batch may begin; ``now_s`` comes from a clock that never goes back."""
        return 0.0 if self._due_s is None else max(0.0, self._due_s - now_s)

    def began(self, now_s: float) -> None:
        """Note that a batch begins now."""
        self._due_s = now_s + self._interval_s
