"""Delete the keys of Redis one by one while the workers run, as a shell loop over `redis-cli --scan` does."""

from random import Random

from tests.support.servers.redis_cluster import opened_redis

_OF_PLACES = (b"place:", b"saves:")


def delete_one_by_one(url: str, random: Random) -> None:
    """Delete every key; each lane's place and its count of saves come last.

    A key that a lane wrote again meanwhile is deleted too. Whoever lacks a key after the place is gone is
    filled again with the lane.
    """
    with opened_redis(url) as client:
        found: list[bytes] = sorted(client.scan_iter(count=1_000))
        places = [key for key in found if any(kind in key for kind in _OF_PLACES)]
        others = sorted(set(found) - set(places))
        for keys in (others, places):
            random.shuffle(keys)
            for key in keys:
                client.unlink(key)
