"""Compares what was received and what the ledger says with the changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import redis

from schemas.topics import Topics
from segue.connect.read_topics import CommittedReader
from segue.triggers import ledger_records as ledger
from segue.triggers.ledger_records import Place
from tests.campaigns.triggers.moves import Expected
from tests.support.checks.whole_ledger import WholeLedger


def read_ledger(bootstrap: str, topics: Topics) -> tuple[WholeLedger, list[Place]]:
    """Return all partitions of the ledger, and their places."""
    reader = CommittedReader({"bootstrap.servers": bootstrap}, [topics.trigger_ledger], from_beginning=True)
    found, places = WholeLedger(), {}
    try:
        ends = reader.ends()
        while not reader.has_reached(ends):
            message = reader.poll(0.2)
            key = None if message is None else message.key()
            if message is None or key is None:
                continue
            found.take(key, message.value())
            if key == ledger.PLACE_KEY:
                places[message.partition()] = found.place
    finally:
        reader.close()
    return found, [place for place in places.values() if place is not None]


def decided(bootstrap: str, topics: Topics) -> int:
    """Return how many changes have an outcome."""
    return sum(place.changes for place in read_ledger(bootstrap, topics)[1])


def check(expected: Expected, found: WholeLedger, places: list[Place], received: list[str]) -> Counter[str]:
    """Check all promises; return the counts.

    Raises:
        AssertionError: a promise is broken.
    """
    assert sum(place.changes for place in places) == expected.changes
    counts: Counter[str] = Counter()
    got = set(received)
    for trigger, webhooks in expected.webhooks.items():
        mine: Counter[str] = Counter()
        for place in places:
            mine.update(place.counts[trigger])
        assert mine.total() == expected.changes, f"{trigger}: the counts {mine} do not add up"
        refused = {name for name in webhooks if name[0] == "0"}
        assert mine["dead_letter"] == len(refused), f"{trigger}: {mine}, not {len(refused)} dead letters"
        assert mine["sent"] == len(webhooks) - len(refused), f"{trigger}: {mine}, of {len(webhooks)}"
        others = {outcome: mine[outcome] for outcome in expected.others[trigger]}
        assert others == expected.others[trigger], f"{trigger}: {others}, not {expected.others[trigger]}"
        counts.update(mine)
        lost = [name for name in webhooks if name not in got and name not in refused]
        assert not lost, f"{len(lost)} webhooks are lost, such as {lost[0]}"
        _check_order(webhooks, refused, received)
    everything = {name for webhooks in expected.webhooks.values() for name in webhooks}
    assert got <= everything, f"{len(got - everything)} webhooks are invented"
    users = {user for _, user in expected.times}
    for user in users:
        entries = found.entries(user)
        for trigger in expected.webhooks:
            times = expected.times.get((trigger, user), 0)
            there = entries[trigger].times if trigger in entries else 0
            assert there == times, f"{trigger}, {user}: the ledger has {there} webhooks, not {times}"
    counts["repeats"] = len(received) - len(got)
    return counts


def differing(found: WholeLedger, url: str, partitions: int) -> set[bytes]:
    """Return the keys of users whose records in Redis are not those of the ledger."""
    copy: dict[bytes, bytes] = {}
    with redis.Redis.from_url(url) as client:
        for lane in range(partitions):
            copy |= client.hgetall(f"segue:triggers:{lane}")
    of_users = (key for key in {*copy, *found.values} if b"/" in key)
    return {key for key in of_users if copy.get(key) != found.values.get(key)}


def check_retry(expected: Expected, came: set[str], said: str) -> None:
    """Check that a retry sends the dead letters of all users who are not erased, and no others.

    Args:
        expected: what the changes must lead to.
        came: the webhooks that came by the retry.
        said: what the retry printed.

    Raises:
        AssertionError: a promise is broken.
    """
    wanted = {name for names in expected.refused.values() for name in names}
    assert came == wanted, f"{len(wanted - came)} dead letters are missing, {len(came - wanted)} are invented"
    assert f"{len(came):,} of {len(came):,} dead letters sent" in said, said


def _check_order(webhooks: list[str], refused: set[str], received: Iterable[str]) -> None:
    """Check that each user's webhooks came in their order, repeats and refused ones apart."""
    place = {name: number for number, name in enumerate(webhooks)}
    last: dict[str, int] = {}
    for name in dict.fromkeys(received):
        if name in place and name not in refused:
            user = name[16:32]
            assert place[name] > last.get(user, -1), f"{name} came after a later webhook of its user"
            last[user] = place[name]


def lines(file: Path) -> list[str]:
    """Return the webhooks that the receiver noted, in their order."""
    return file.read_text().split()
