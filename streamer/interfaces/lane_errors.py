"""Why a lane stops what it does and takes itself over again."""

from schemas.errors import SegueError

# Redis takes 512 MB in one argument (proto-max-bulk-len), and holds it a few times over while a script runs.
MAX_SAVE_BYTES = 64 * 1024 * 1024
# A batch of many users with states as large as may be would take the memory of the worker, and of Redis.
MAX_LOAD_BYTES = 64 * 1024 * 1024


class InDoubt(Exception):
    """What the lane believes may no longer hold: a commit failed or its answer is unknown, a save was
    refused, or the place in Redis is another's. The lane forgets what it decided and takes over.
    """


class Fenced(InDoubt):
    """Another producer has taken this lane's transactional id."""


class NotReady(Exception):
    """The lane cannot go on yet, for a reason that time or an operator removes; it waits visibly."""


class TooLarge(Exception):
    """What is to be saved at once has more bytes than Redis is given in one save."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the user's state would take {size:,} bytes, and a save at most {MAX_SAVE_BYTES:,}")


class TooMuchToLoad(TooLarge):
    """The users of a batch have more bytes than are read at once: fewer are to be taken; one user alone always can be."""

    def __init__(self, size: int) -> None:
        Exception.__init__(
            self, f"the batch's users take {size:,} bytes, and {MAX_LOAD_BYTES:,} are read at once"
        )


class LaneClosing(Exception):
    """The lane was asked to close while it healed; whoever opens it next goes on from its last save."""


class Torn(InDoubt, SegueError):
    """Redis holds what no lane saved: a part of a save that it had lost, or a state that contradicts itself. The next
    takeover empties the lane there and folds it again.

    Attributes:
        stored: the place's key as it was read, and ``saves`` the count beside it.
        place: the place in it, which may not be believed.
    """

    exit_code = 7

    def __init__(self, reason: str, stored: bytes | None, saves: bytes | None, place: bytes | None) -> None:
        super().__init__(reason)
        self.stored, self.saves, self.place = stored, saves, place
