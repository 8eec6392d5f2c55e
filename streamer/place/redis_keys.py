"""Every Redis key: its content, its purpose and its lifetime. docs/redis.md shows examples.

All keys lie under one prefix (``segue:`` by default). No key expires: a lane writes the keys, and only an
erasure or an operator deletes them.
"""

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
        tagged: for Redis Cluster: a lane's keys share the hash tag ``{lane}``. So they lie on one node, and
            one script can write them all. A single server needs no tags, and one index serves all lanes.

    >>> Keys("segue:").user("7", 3), Keys("segue:").place(3), Keys("segue:").angles("4f1c", 3)
    ('segue:user:7', 'segue:place:3', 'segue:angles:4f1c')
    >>> Keys("segue:").swept(3), Keys("segue:").due(3), Keys("segue:").saves(3)
    ('segue:swept:3', 'segue:due:3', 'segue:saves:3')
    >>> cluster = Keys("segue:", tagged=True)
    >>> cluster.user("7", 3), cluster.place(3), cluster.angles("4f1c", 3)
    ('segue:user:{3}:7', 'segue:place:{3}', 'segue:angles:{3}:4f1c')
    >>> Keys("segue:").orders("7", 3), Keys("segue:").user_of(b"segue:orders:a:7")
    ('segue:orders:7', 'a:7')
    >>> Keys("segue:").user_of(b"segue:user:a:7"), cluster.user_of(b"segue:user:{3}:7")
    ('a:7', '7')
    >>> Keys("segue:").space_of(b"segue:angles:4f1c"), cluster.space_of(b"segue:angles:{3}:4f1c")
    ('4f1c', '4f1c')
    """

    prefix: str = "segue:"
    tagged: bool = False

    def __post_init__(self) -> None:
        if self.tagged and "{" in self.prefix:
            raise BadSetting("redis_prefix", self.prefix, "leave out the braces on Redis Cluster")

    def user(self, user_id: str, lane: int) -> str:
        """A hash: the user's segment, state and orders. It lives until the user is erased."""
        return f"{self.prefix}user:{{{lane}}}:{user_id}" if self.tagged else f"{self.prefix}user:{user_id}"

    def user_of(self, key: bytes) -> str:
        """The user id in a key that :meth:`user` or :meth:`orders` made."""
        return self._rest(key)

    def orders(self, user_id: str, lane: int) -> str:
        """A sorted set: the index of the orders of a user who has many. It lives as long as the orders."""
        kind = f"orders:{{{lane}}}" if self.tagged else "orders"
        return f"{self.prefix}{kind}:{user_id}"

    def angles(self, space: str, lane: int) -> str:
        """A sorted set of user ids by angle in radians: the index that finds similar users in this space.

        On Redis Cluster each lane has its own, with the lane's users.
        """
        return f"{self.prefix}angles:{{{lane}}}:{space}" if self.tagged else f"{self.prefix}angles:{space}"

    def all_angles(self, space: str, lanes: int) -> list[str]:
        """The keys that together are the index of a space, with so many lanes.

        >>> Keys().all_angles("4f1c", 2), Keys(tagged=True).all_angles("4f1c", 2)
        (['segue:angles:4f1c'], ['segue:angles:{0}:4f1c', 'segue:angles:{1}:4f1c'])
        """
        return [self.angles(space, lane) for lane in range(lanes if self.tagged else 1)]

    def space_of(self, key: bytes) -> str:
        """The space in a key that :meth:`angles` made."""
        return self._rest(key)

    def every_orders(self, lane: int | None = None) -> str:
        """A pattern for SCAN that matches the indexes of users' orders, as :meth:`every_user`."""
        return self._every("orders", lane)

    def every_user(self, lane: int | None = None) -> str:
        """A pattern for SCAN that matches all users' keys and no other key of the prefix.

        Args:
            lane: match only this lane's, if their keys name the lane.

        >>> Keys().every_user(3), Keys(tagged=True).every_user(), Keys(tagged=True).every_user(3)
        ('segue:user:*', 'segue:user:*', 'segue:user:{3}:*')
        """
        return self._every("user", lane)

    def every_angles(self, lane: int | None = None) -> str:
        """A pattern for SCAN that matches the indexes by angle, of all spaces, as :meth:`every_user`."""
        return self._every("angles", lane)

    def place(self, lane: int) -> str:
        """A string: how far the lane's states have come. Every save compares and replaces it."""
        return self._of_lane("place", lane)

    def saves(self, lane: int) -> str:
        """A number: how many saves of the lane Redis has run. If the place differs, the lane is torn."""
        return self._of_lane("saves", lane)

    def swept(self, lane: int) -> str:
        """A sorted set of the lane's user ids, by the number of the last sweep that reached each user."""
        return self._of_lane("swept", lane)

    def every_swept(self) -> str:
        """A pattern for SCAN that matches the sweep sets of all lanes."""
        return self._every("swept", None)

    def due(self, lane: int) -> str:
        """A sorted set of the lane's user ids, by the day on which each must be decided again (20240301).

        It exists only with features of time.
        """
        return self._of_lane("due", lane)

    def every_due(self) -> str:
        """A pattern for SCAN that matches the sets of due users of all lanes."""
        return self._every("due", None)

    def every_place(self) -> str:
        """A pattern for SCAN that matches the places of all lanes."""
        return self._every("place", None)

    def lane_of_place(self, key: bytes) -> int | None:
        """The lane in a key that matches :meth:`every_place`; None if the key is no lane's place.

        >>> Keys().lane_of_place(b"segue:place:12"), Keys(tagged=True).lane_of_place(b"segue:place:{12}")
        (12, 12)
        >>> Keys().lane_of_place(b"segue:place:x")
        """
        name = key.decode(errors="replace")[len(self.place(0)) - (3 if self.tagged else 1) :]
        name = name.removeprefix("{").removesuffix("}") if self.tagged else name
        return int(name) if name.isdecimal() else None

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
        return f"{self.prefix}trial:{{{name}}}" if self.tagged else f"{self.prefix}trial:{name}"

    def _of_lane(self, kind: str, lane: int) -> str:
        return f"{self.prefix}{kind}:{{{lane}}}" if self.tagged else f"{self.prefix}{kind}:{lane}"

    def _every(self, kind: str, lane: int | None) -> str:
        of_lane = f"{{{lane}}}:" if self.tagged and lane is not None else ""
        return f"{_literal(self.prefix)}{kind}:{of_lane}*"

    def _rest(self, key: bytes) -> str:
        """What follows the kind of key, and the lane if the key names it."""
        name = key.decode()[len(self.prefix) :].partition(":")[2]
        return name.partition("}:")[2] if self.tagged else name


def due_score(day: date) -> int:
    """The score of a user who is due on a day: a number that people can read.

    >>> due_score(date(2024, 3, 1))
    20240301
    """
    return day.year * 10_000 + day.month * 100 + day.day


def _literal(text: str) -> str:
    """A Redis pattern that matches exactly this text."""
    return "".join(f"\\{character}" if character in "*?[]^\\" else character for character in text)
