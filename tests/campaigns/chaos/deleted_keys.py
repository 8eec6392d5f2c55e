"""Delete the keys of Redis one by one while the workers run, as a shell loop over `redis-cli --scan` does."""

from random import Random

from tests.support.servers.redis_cluster import opened_redis

_OF_PLACES = (b"place:", b"saves:")
_OF_USERS = b"user:"


def delete_one_by_one(url: str, random: Random) -> None:
    """Delete every key but tombstones; each lane's place and its count of saves come last.

    Nothing else in Redis tells of a tombstone, so nobody would miss it while the place is there. Whoever
    lacks a key after the place is gone is filled again with the lane.
    """
    with opened_redis(url) as client:
        found: list[bytes] = sorted(client.scan_iter(count=1_000))
        places = [key for key in found if any(kind in key for kind in _OF_PLACES)]
        others = sorted(set(found) - set(places))
        for keys in (others, places):
            random.shuffle(keys)
            for key in keys:
                if not (_OF_USERS in key and client.hlen(key) == 1):
                    client.unlink(key)
