"""Every Redis key: its content, its purpose and its lifetime. docs/redis.md shows examples.

All keys lie under one prefix (``segue:`` by default). No key expires: a lane writes the keys, and only an
erasure or an operator deletes them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from schemas.errors import BadSetting

# Fields of a user's hash. The plain fields are for readers; the lane itself reads back only `state`.
STATE = "state"
SEGMENT = "segment"
# Each order is a field of its own, so that an event reads and writes one order, however many there are.
ORDER_PREFIX = "o:"


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of the keys under a prefix.

    Attributes:
        prefix: the beginning of every key.
        lane_of: gives the lane of a user id; set only for Redis Cluster. Then a lane's keys share the hash
            tag ``{lane}``, so they lie on one node and one script can write them all.

    >>> Keys("segue:").user("7"), Keys("segue:").place(3), Keys("segue:").angles("4f1c")
    ('segue:user:7', 'segue:place:3', 'segue:angles:4f1c')
    >>> Keys("segue:").swept(3), Keys("segue:").due(3), Keys("segue:").saves(3)
    ('segue:swept:3', 'segue:due:3', 'segue:saves:3')
    >>> Keys("segue:", lane_of=lambda user_id: 3).user("7")
    'segue:user:{3}:7'
    >>> Keys("segue:").orders("7"), Keys("segue:").user_of(b"segue:orders:a:7")
    ('segue:orders:7', 'a:7')
    >>> Keys("segue:").user_of(b"segue:user:a:7")
    'a:7'
    >>> Keys("segue:", lane_of=lambda user_id: 3).user_of(b"segue:user:{3}:7")
    '7'
    """

    prefix: str = "segue:"
    lane_of: Callable[[str], int] | None = None

    def __post_init__(self) -> None:
        if self.lane_of is not None and "{" in self.prefix:
            raise BadSetting("redis_prefix", self.prefix, "leave out the braces on Redis Cluster")

    def user(self, user_id: str) -> str:
        """A hash: the user's segment, state and orders. It lives until the user is erased."""
        if self.lane_of is None:
            return f"{self.prefix}user:{user_id}"
        return f"{self.prefix}user:{{{self.lane_of(user_id)}}}:{user_id}"

    def user_of(self, key: bytes) -> str:
        """The user id in a key that :meth:`user` or :meth:`orders` made."""
        name = key.decode()[len(self.prefix) :].partition(":")[2]
        return name if self.lane_of is None else name.partition("}:")[2]

    def orders(self, user_id: str) -> str:
        """A sorted set: the index of the orders of a user who has many. It lives as long as the orders."""
        if self.lane_of is None:
            return f"{self.prefix}orders:{user_id}"
        return f"{self.prefix}orders:{{{self.lane_of(user_id)}}}:{user_id}"

    def every_orders(self) -> str:
        """A pattern for SCAN that matches the indexes of all users' orders."""
        return f"{_literal(self.prefix)}orders:*"

    def every_user(self) -> str:
        """A pattern for SCAN that matches all users' keys and no other key of the prefix."""
        return f"{_literal(self.prefix)}user:*"

    def every_angles(self) -> str:
        """A pattern for SCAN that matches the indexes of users by angle, of all spaces."""
        return f"{_literal(self.prefix)}angles:*"

    def place(self, lane: int) -> str:
        """A string: how far the lane's states have come. Every save compares and replaces it."""
        return f"{self.prefix}place:{lane}" if self.lane_of is None else f"{self.prefix}place:{{{lane}}}"

    def saves(self, lane: int) -> str:
        """A number: how many saves of the lane Redis has run. If the place differs, the lane is torn."""
        return f"{self.prefix}saves:{lane}" if self.lane_of is None else f"{self.prefix}saves:{{{lane}}}"

    def swept(self, lane: int) -> str:
        """A sorted set of the lane's user ids, by the number of the last sweep that reached each user."""
        return f"{self.prefix}swept:{lane}" if self.lane_of is None else f"{self.prefix}swept:{{{lane}}}"

    def every_swept(self) -> str:
        """A pattern for SCAN that matches the sweep sets of all lanes."""
        return f"{_literal(self.prefix)}swept:*"

    def due(self, lane: int) -> str:
        """A sorted set of the lane's user ids, by the day on which each must be decided again (20240301).

        It exists only with features of time.
        """
        return f"{self.prefix}due:{lane}" if self.lane_of is None else f"{self.prefix}due:{{{lane}}}"

    def every_due(self) -> str:
        """A pattern for SCAN that matches the sets of due users of all lanes."""
        return f"{_literal(self.prefix)}due:*"

    def every_place(self) -> str:
        """A pattern for SCAN that matches the places of all lanes."""
        return f"{_literal(self.prefix)}place:*"

    def overlaps(self, prefix: str) -> bool:
        """Whether a key under one prefix can look like a key under the other.

        >>> Keys("segue:").overlaps("segue:user:"), Keys("segue:user:").overlaps("segue:")
        (True, True)
        >>> Keys("segue:").overlaps("segue:2:")
        False
        """
        kinds = ("user:", "orders:", "angles:", "swept:", "due:", "place:", "saves:")
        return any(
            one.startswith(f"{other}{kind}")
            for one, other in ((self.prefix, prefix), (prefix, self.prefix))
            for kind in kinds
        )

    def rebuild(self) -> str:
        """A string: the second prefix that a rebuild fills. It lives until the lanes have moved there."""
        return f"{self.prefix}rebuild"

    def trial(self, name: str) -> str:
        """The beginning of the keys that test the login's rights; these keys live only for the test."""
        return f"{self.prefix}trial:{name}"

    def angles(self, space: str) -> str:
        """A sorted set of user ids by angle in radians: the index that finds similar users in this space."""
        return f"{self.prefix}angles:{space}"


def due_score(day: date) -> int:
    """The score of a user who is due on a day: a number that people can read.

    >>> due_score(date(2024, 3, 1))
    20240301
    """
    return day.year * 10_000 + day.month * 100 + day.day


def _literal(text: str) -> str:
    """A Redis pattern that matches exactly this text."""
    return "".join(f"\\{character}" if character in "*?[]^\\" else character for character in text)
