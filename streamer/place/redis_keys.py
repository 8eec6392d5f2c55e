"""Every Redis key, what it holds, why, and how long it lives. docs/redis.md tells it with examples.

All keys lie under one prefix (``segue:`` by default) and none expires: a lane writes them, and only an
erasure or an operator takes them away.
"""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.errors import BadSetting

# Fields of a user's hash. The plain ones are for readers; `state` is what the lane itself reads back.
STATE = "state"
SEGMENT = "segment"
# Each order is a field of its own, so that an event reads and writes one order, however many there are.
ORDER_PREFIX = "o:"


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of the keys under a prefix.

    Attributes:
        lane_of: for Redis Cluster, the lane of a user id. Then a lane's keys share the hash tag
            ``{lane}`` and lie on one node, since one script writes them all.

    >>> Keys("segue:").user("7"), Keys("segue:").place(3), Keys("segue:").angles("4f1c")
    ('segue:user:7', 'segue:place:3', 'segue:angles:4f1c')
    >>> Keys("segue:").swept(3), Keys("segue:").saves(3)
    ('segue:swept:3', 'segue:saves:3')
    >>> Keys("segue:", lane_of=lambda user_id: 3).user("7")
    'segue:user:{3}:7'
    >>> Keys("segue:").orders("7"), Keys("segue:").user_of(b"segue:orders:a:7")
    ('segue:orders:7', 'a:7')
    >>> Keys("segue:").user_of(b"segue:user:a:7"), Keys("segue:", lane_of=lambda user_id: 3).user_of(b"segue:user:{3}:7")
    ('a:7', '7')
    """

    prefix: str = "segue:"
    lane_of: Callable[[str], int] | None = None

    def __post_init__(self) -> None:
        if self.lane_of is not None and "{" in self.prefix:
            raise BadSetting("redis_prefix", self.prefix, "leave out the braces on Redis Cluster")

    def user(self, user_id: str) -> str:
        """A hash: the user's segment and state, and each order. Lives until the user is erased."""
        if self.lane_of is None:
            return f"{self.prefix}user:{user_id}"
        return f"{self.prefix}user:{{{self.lane_of(user_id)}}}:{user_id}"

    def user_of(self, key: bytes) -> str:
        """The user id in a key that :meth:`user` or :meth:`orders` made."""
        name = key.decode()[len(self.prefix) :].partition(":")[2]
        return name if self.lane_of is None else name.partition("}:")[2]

    def orders(self, user_id: str) -> str:
        """A sorted set: the index of a user's orders, where they are many. Lives as long as the orders do."""
        if self.lane_of is None:
            return f"{self.prefix}orders:{user_id}"
        return f"{self.prefix}orders:{{{self.lane_of(user_id)}}}:{user_id}"

    def every_orders(self) -> str:
        """A pattern for SCAN that the indexes of all users' orders match."""
        return f"{_literal(self.prefix)}orders:*"

    def every_user(self) -> str:
        """A pattern for SCAN that all users' keys match, and no other key of the prefix."""
        return f"{_literal(self.prefix)}user:*"

    def every_angles(self) -> str:
        """A pattern for SCAN that all indexes' keys match."""
        return f"{_literal(self.prefix)}angles:*"

    def place(self, lane: int) -> str:
        """A string: how far the lane's states have come. Every save compares it and replaces it."""
        return f"{self.prefix}place:{lane}" if self.lane_of is None else f"{self.prefix}place:{{{lane}}}"

    def saves(self, lane: int) -> str:
        """A number: how many saves of the lane Redis has run. The place names the same, or the lane is torn."""
        return f"{self.prefix}saves:{lane}" if self.lane_of is None else f"{self.prefix}saves:{{{lane}}}"

    def swept(self, lane: int) -> str:
        """A sorted set of the lane's user ids by the number of the sweep that each is up to."""
        return f"{self.prefix}swept:{lane}" if self.lane_of is None else f"{self.prefix}swept:{{{lane}}}"

    def every_swept(self) -> str:
        """A pattern for SCAN that the sets of all lanes match."""
        return f"{_literal(self.prefix)}swept:*"

    def every_place(self) -> str:
        """A pattern for SCAN that the places of all lanes match."""
        return f"{_literal(self.prefix)}place:*"

    def overlaps(self, prefix: str) -> bool:
        """Whether a user's or a lane's key under one of both prefixes may be taken for one under the other.

        >>> Keys("segue:").overlaps("segue:user:"), Keys("segue:user:").overlaps("segue:"), Keys("segue:").overlaps("segue:2:")
        (True, True, False)
        """
        kinds = ("user:", "orders:", "angles:", "swept:", "place:", "saves:")
        return any(
            one.startswith(f"{other}{kind}")
            for one, other in ((self.prefix, prefix), (prefix, self.prefix))
            for kind in kinds
        )

    def rebuild(self) -> str:
        """A string: the prefix that a rebuild fills beside this one, until the lanes have moved there."""
        return f"{self.prefix}rebuild"

    def trial(self, name: str) -> str:
        """What begins the keys of a trial of what the login may do; they live for that moment."""
        return f"{self.prefix}trial:{name}"

    def angles(self, space: str) -> str:
        """A sorted set of user ids by angle in radians: who is similar to whom in this space."""
        return f"{self.prefix}angles:{space}"


def _literal(text: str) -> str:
    """The text as a pattern of Redis that matches itself alone."""
    return "".join(f"\\{character}" if character in "*?[]^\\" else character for character in text)
