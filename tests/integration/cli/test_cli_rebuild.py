"""`segue rebuild` on real servers: beside a worker that works, and after a bootstrap whose Redis was lost."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from schemas.errors import NeedsRebuild
from schemas.input_events import Event, Item, Order, Signup, UserErased
from segue.triggers.redis_copy import RedisCopy
from streamer.refill.rebuild_lane import LaneInUse
from tests.support.checks.read_records import key_of, read_topic, value_of
from tests.support.inputs.shops import Shop, write_csv
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import eventually
from tests.support.servers.topic_admin import lose_records

START = datetime(2024, 5, 1, tzinfo=UTC)


def moved_to(deployment: Deployment, suffix: str) -> Deployment:
    """The same deployment under another Redis prefix, which extends the first: so both are cleaned up."""
    settings = {**deployment.settings, "SEGUE_REDIS_PREFIX": f"{deployment.redis_prefix}{suffix}"}
    folder = deployment.folder / "moved"
    folder.mkdir()
    return replace(deployment, settings=settings, folder=folder, _workers=[])


def a_shop(first: int, end: int) -> Iterator[Event]:
    for number in range(first, end):
        user_id = f"u{number}"
        yield Signup(user_id, START, age=20 + number % 50, gender="FM"[number % 2])
        yield Order(user_id, f"{number}", START, (Item("Ön", "Jeans"),))
        if number % 10 == 0:
            yield UserErased(user_id, START + timedelta(minutes=90))
            yield Signup(user_id, START + timedelta(days=1), age=30)


def told(deployment: Deployment, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(deployment.segue(*arguments, "--json").stdout)
    return found


@pytest.mark.wide
def test_beside_a_worker_and_then_another_goes_on_under_the_new_prefix(deployment: Deployment) -> None:
    old = deployment.worker().ready()
    deployment.send(a_shop(0, 400))
    deployment.caught_up()
    deployment.send(a_shop(400, 600))

    done = told(deployment, "rebuild", "--into", f"{deployment.redis_prefix}2:")

    assert done["users"] >= 400
    assert done["anew"] is False
    deployment.send(a_shop(600, 700))
    deployment.caught_up()
    before = len(read_topic(deployment.bootstrap, deployment.topics.changes))
    again = deployment.segue("rebuild", "--into", f"{deployment.redis_prefix}2:", check=False)
    assert again.returncode == 9
    assert "has a place in Redis already" in again.stderr

    # The old worker is still there: the lanes are taken from it, under the new prefix.
    moved = moved_to(deployment, "2:")
    new = moved.worker()
    old.stop()
    try:
        new.ready()
        with redis.Redis.from_url(deployment.redis_url) as store:
            store.delete(
                *store.scan_iter(f"{deployment.redis_prefix}user:*")
            )  # nothing of the old one is read
        moved.send([Signup("new", START, age=25)])
        caught_up_under(moved, "2:")
        whole = told(moved, "verify")
    finally:
        new.kill()
    assert (whole["users"], whole["differing"], whole["lanes_without_place"]) == (701, [], [])
    changes = read_topic(deployment.bootstrap, deployment.topics.changes)
    assert len(changes) == before + 1  # the new user's, and nobody else's again


def caught_up_under(deployment: Deployment, suffix: str) -> None:
    """Wait until the places under the new prefix are at the end of the inputs."""
    lag = f"{deployment.redis_prefix}{suffix}place:"
    ends = {
        (topic, lane): sum(message.partition() == lane for message in read_topic(deployment.bootstrap, topic))
        for topic in deployment.topics.inputs
        for lane in range(deployment.partitions)
    }

    def reached() -> bool:
        with redis.Redis.from_url(deployment.redis_url) as store:
            stored = [store.get(f"{lag}{lane}") for lane in range(deployment.partitions)]
        places = [json.loads(place.partition(b" ")[2]) for place in stored]
        return all(places[lane]["positions"][topic] >= end for (topic, lane), end in ends.items())

    eventually(reached, "every lane at the end of its inputs")


def test_a_rebuild_that_is_refused_leaves_everything_as_it_was(deployment: Deployment) -> None:
    deployment.worker().ready()
    deployment.send(a_shop(0, 20))
    deployment.caught_up()
    into, prefix = f"{deployment.redis_prefix}2:", deployment.redis_prefix

    apart = deployment.segue("rebuild", "--into", f"{prefix}user:", check=False)
    assert apart.returncode == LaneInUse.exit_code
    assert "overlap with those under" in apart.stderr
    other_group = ("--group", f"{deployment.prefix}nobody", "--into", f"{prefix}3:")
    without_offsets = deployment.segue("rebuild", *other_group, check=False)
    assert without_offsets.returncode == NeedsRebuild.exit_code
    assert "has committed no offset" in without_offsets.stderr

    assert told(deployment, "verify")["differing"] == []
    assert told(deployment, "rebuild", "--into", into)["users"] == 20
    no_lane = deployment.segue("replay", "--from-offsets", "9:0:0", check=False)
    lanes = f"there is no lane 9: the lanes are 0 to {deployment.partitions - 1}"
    assert (no_lane.returncode, lanes in no_lane.stderr) == (2, True)


@pytest.mark.long
def test_the_switch_moves_the_lanes_of_a_living_worker(deployment: Deployment) -> None:
    worker = deployment.worker().ready()
    deployment.send(a_shop(0, 300))
    deployment.caught_up()
    into = f"{deployment.redis_prefix}2:"
    early = deployment.segue("rebuild", "--into", into, "--switch", check=False)
    assert early.returncode == 7
    assert "run `segue rebuild --into" in early.stderr
    other = f"{deployment.redis_prefix}other:"
    deployment.segue("rebuild", "--into", other)
    refused = deployment.segue("rebuild", "--into", into, check=False)
    assert refused.returncode == 9
    assert f"a rebuild into '{other}' was begun" in refused.stderr
    assert f"a rebuild into {other} was begun" in deployment.segue("doctor", "--json", check=False).stdout
    with closing(RedisCopy(deployment.redis_url, 1, other)) as copy:
        copy.save(None, b"of triggers", {b"/7": b"{}"})
    deployment.segue("rebuild", "--into", other, "--drop")
    with redis.Redis.from_url(deployment.redis_url) as store:
        assert list(store.scan_iter(f"{other}*")) == []
        assert store.get(f"{deployment.redis_prefix}rebuild") is None
    deployment.segue("rebuild", "--into", into)
    deployment.send(a_shop(300, 400))

    assert told(deployment, "rebuild", "--into", into, "--switch") == {"redis_prefix": into, "lanes": 3}

    deployment.send(a_shop(400, 500))
    caught_up_under(deployment, "2:")
    # The commands follow under the old setting, and the lanes moved once.
    assert told(deployment, "user", "u453")["features"]["total_orders"] == 1
    assert told(deployment, "forget", "u451", "--wait", "60")["gone"] is True
    whole = told(deployment, "verify")
    assert (whole["users"], whole["differing"], whole["lanes_without_place"]) == (500, [], [])
    assert told(deployment, "rebuild", "--into", into, "--switch")["lanes"] == 0
    assert "was begun" not in deployment.segue("doctor", "--json", check=False).stdout
    dropped = deployment.segue("rebuild", "--into", into, "--drop", check=False)
    assert dropped.returncode == 9
    assert "nothing was dropped" in dropped.stderr
    assert worker.process.poll() is None
    chains: dict[str, list[int]] = {}
    for message in read_topic(deployment.bootstrap, deployment.topics.changes):
        change = json.loads(value_of(message))
        chains.setdefault(key_of(message), []).append(0 if change["kind"] == "erased" else change["sequence"])
    for user_id, sequences in chains.items():
        lives = [list(range(1, len(life) + 1)) for life in _lives(sequences)]
        assert _lives(sequences) == lives, user_id

    # A worker that starts under the old setting goes on under the new prefix, too.
    worker.stop()
    deployment.worker().ready()
    deployment.send([Signup("new", START, age=25)])
    caught_up_under(deployment, "2:")
    assert told(deployment, "user", "new")["segment"] is not None
    with redis.Redis.from_url(deployment.redis_url) as store:
        assert not store.exists(f"{deployment.redis_prefix}user:new")
        assert store.exists(f"{into}user:new")


def _lives(sequences: list[int]) -> list[list[int]]:
    """The sequences of each life; 0 is an erasure."""
    lives: list[list[int]] = [[]]
    for sequence in sequences:
        if sequence == 0:
            lives.append([])
        else:
            lives[-1].append(sequence)
    return [life for life in lives if life]


@pytest.mark.long
def test_a_redis_lost_after_a_bootstrap_is_filled_from_the_warehouse_and_the_log(
    deployment: Deployment, tmp_path: Path
) -> None:
    shop = Shop()
    for number in range(30):
        shop.user(str(number), "2024-01-01 00:00:00", age=str(18 + number), gender="F")
        shop.order(f"{number}-1", str(number), ["Ön/Jeans"], "2024-02-01 00:00:00")
        shop.order(f"{number}-2", str(number), ["Carhartt/Socks"], "2024-06-03 00:00:00")
    tables = write_csv(shop, tmp_path / "tables")
    deployment.segue("bootstrap", "--warehouse", tables, "--as-of", "2024-06-01")
    worker = deployment.worker().ready()
    deployment.segue("ingest", "--warehouse", tables, "--since", "2024-06-01")
    deployment.segue("forget", "3", "--wait", "60")
    deployment.caught_up()
    worker.stop()
    before = len(read_topic(deployment.bootstrap, deployment.topics.changes))
    with redis.Redis.from_url(deployment.redis_url) as store:
        store.delete(*store.scan_iter(f"{deployment.redis_prefix}*"))

    refused = deployment.segue("rebuild", check=False)
    assert refused.returncode == 7
    assert "name the warehouse of that bootstrap (--warehouse)" in refused.stderr
    done = told(deployment, "rebuild", "--warehouse", tables)

    assert (done["users"], done["anew"]) == (30, True)
    deployment.worker().ready()
    deployment.caught_up()
    assert told(deployment, "verify", "--warehouse", tables)["differing"] == []
    assert len(read_topic(deployment.bootstrap, deployment.topics.changes)) == before


@pytest.mark.long
def test_an_erasure_from_before_the_bootstrap_stays_though_compaction_has_dropped_its_null(
    deployment: Deployment, tmp_path: Path
) -> None:
    shop = Shop()
    for number in range(5):
        shop.user(str(number), "2024-01-01 00:00:00", age=str(18 + number), gender="F")
    tables = write_csv(shop, tmp_path / "tables")
    worker = deployment.worker().ready()
    deployment.send([Signup("3", START, age=21, gender="F")])
    deployment.segue("forget", "3", "--wait", "60")
    worker.stop()
    began = moved_to(deployment, "began:")
    began = replace(began, settings={**began.settings, "SEGUE_GROUP": f"{deployment.prefix}began"})
    as_of = datetime.now(UTC).isoformat()
    began.segue("bootstrap", "--warehouse", tables, "--as-of", as_of, "--margin", "0s")
    lose_records(deployment.bootstrap, deployment.topics.users, deployment.partitions)

    into = f"{deployment.redis_prefix}2:"
    done = told(began, "rebuild", "--warehouse", tables, "--into", into)

    assert done["users"] == 5
    for prefix in (f"{deployment.redis_prefix}began:", into):
        with redis.Redis.from_url(deployment.redis_url) as store:
            assert set(store.hgetall(f"{prefix}user:3")) == {b"state"}, prefix
    assert told(began, "verify", "--warehouse", tables, "--redis-prefix", into)["users"] == 5
