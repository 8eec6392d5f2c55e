"""Why a lane stops what it does and takes itself over again."""

from schemas.errors import SegueError

# Redis accepts 512 MB in one argument (proto-max-bulk-len), and a running script holds several copies of it.
MAX_SAVE_BYTES = 64 * 1024 * 1024
# A batch of many users with the largest states would exhaust the memory of the worker and of Redis.
MAX_LOAD_BYTES = 64 * 1024 * 1024

# Why a user makes a lane torn.
CONTRADICTS = "a user's state in Redis contradicts itself"
LOST_KEY = "Redis no longer has all keys of a user of this lane: something else than Segue deleted them"


class InDoubt(Exception):
    """The lane may no longer own its partition, or an answer was lost.

    For example, a commit failed, a save was refused, or another worker wrote the place in Redis. The lane
    forgets its decisions and takes itself over.
    """


class Fenced(InDoubt):
    """Another producer has taken this lane's transactional id."""


class NotReady(Exception):
    """The lane must wait until time passes or an operator acts; the status shows the reason."""


class TooLarge(Exception):
    """A save has more bytes than :data:`MAX_SAVE_BYTES`."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the user's state would take {size:,} bytes, and a save at most {MAX_SAVE_BYTES:,}")


class TooMuchToLoad(TooLarge):
    """The users of a batch have more bytes than :data:`MAX_LOAD_BYTES`; divide the batch.

    A single user can always be read.
    """

    def __init__(self, size: int) -> None:
        Exception.__init__(
            self,
            f"the batch's users take {size:,} bytes or more, and at most {MAX_LOAD_BYTES:,} are read at once",
        )


class LaneClosing(Exception):
    """The lane was asked to close while it healed; its next owner continues from the last save."""


class Torn(InDoubt, SegueError):
    """Redis holds what no lane saved: half of a lost save, or a state that contradicts itself or lacks a key.

    The next takeover empties the lane in Redis and folds it again.

    Args:
        reason: what is wrong, for messages.
        stored: the value of the place's key, as it was read; None if no place was read.
        saves: the count of saves that was read with it.
        place: the place in ``stored``; it cannot be trusted.
    """

    exit_code = 7

    def __init__(self, reason: str, stored: bytes | None, saves: bytes | None, place: bytes | None) -> None:
        super().__init__(reason)
        self.stored, self.saves, self.place = stored, saves, place
