"""The pace of a sweep: a limit of users a second, in batches so short that events do not wait long."""

# A live event may wait for one batch of users. This is how long such a batch should take.
_BATCH_S = 0.02
# Each batch has its transaction, so smaller batches would cost more than they decide.
_LEAST = 50
# The most users in a batch are the users of this many seconds.
_PACED_S = 0.2
# The shortest time that is believed.
_CLOCK_S = 1e-6


class Pace:
    """Batches of ``users`` users each, begun at a pace of at most ``per_s`` users a second.

    ``users`` follows the time that the batches take. It begins small, and at most doubles.
    """

    def __init__(self, per_s: float, most: int) -> None:
        """
        Args:
            per_s: the most users a second.
            most: the most users in one batch.
        """
        self._per_s = per_s
        self._most = max(1, int(min(most, per_s * _PACED_S)))
        self.users = min(self._most, _LEAST)
        self._began_s = 0.0
        self._due_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """The seconds until the next batch may begin; ``now_s`` comes from a clock that never goes back."""
        return 0.0 if self._due_s is None else max(0.0, self._due_s - now_s)

    def began(self, now_s: float) -> None:
        """Note that a batch begins now."""
        self._began_s = now_s
        self._due_s = now_s + self.users / self._per_s

    def ended(self, now_s: float, users: int) -> None:
        """Note that the batch ends now, with so many users; a full batch decides the size of the next one."""
        if users < self.users:
            return  # of few users, the transaction takes most of the time
        took_s = max(now_s - self._began_s, _CLOCK_S)
        fitting = max(_LEAST, round(users * _BATCH_S / took_s))
        self.users = min(self._most, 2 * self.users, fitting)
