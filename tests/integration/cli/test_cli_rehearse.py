"""`segue publish --rehearse` beside real workers: it predicts what they did, and what they do next."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from schemas.input_events import Event, Order
from segue.services import KafkaService, RedisService
from tests.support.checks.read_records import read_topic, value_of
from tests.support.servers.deployment import Deployment, deployed, trained
from trainer.warehouse import open_warehouse

pytestmark = pytest.mark.long

THELOOK = Path(str(files("segue"))) / "data" / "thelook"
WINDOW = datetime(2024, 5, 1, tzinfo=UTC)
USERS = 1_000
GAP_S = 25  # without an event, so that the window may begin anywhere in it
AS_OF = "2024-12-01"
TRIGGERS = """
max_per_day = 2
[triggers.in]
on = "entering"
segment = 0
url = "http://localhost:9/hooks"
reentry = "always"
max_age = "36500d"
[triggers.out]
on = "leaving"
segment = 0
url = "http://localhost:9/hooks"
max_age = "36500d"
"""
ANYTHING = ("--max-moved", "1", "--max-flaps", "1")


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("releases")
    first = trained(THELOOK, folder, "--as-of", "2024-06-01")
    return first, trained(THELOOK, folder, "--current", first)


@pytest.fixture
def deployment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    with deployed(
        Deployment(kafka.bootstrap, redis_server.url, topic_prefix, tmp_path, partitions=3)
    ) as made:
        yield made


def some_facts() -> list[Event]:
    """Return all events of the users with the most orders, by time."""
    by_user: dict[str, list[Event]] = defaultdict(list)
    with open_warehouse(str(THELOOK)) as warehouse:
        for event in warehouse.events():
            by_user[event.user_id].append(event)
    busiest = sorted(by_user.values(), key=len, reverse=True)[:USERS]
    return sorted((event for events in busiest for event in events), key=lambda event: event.at)


def since(begin_s: float) -> str:
    """Return the length from a time until now. A command that takes long to start begins a little later."""
    return f"{math.ceil(time.time() - begin_s)}s"


def changes_of(deployment: Deployment) -> list[dict[str, Any]]:
    return [
        json.loads(value_of(each)) for each in read_topic(deployment.bootstrap, deployment.topics.changes)
    ]


def counted(changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count observed moves a second way: by each user's list of segments."""
    ways: dict[str, list[int]] = defaultdict(list)
    for change in sorted(changes, key=lambda change: change["sequence"]):
        if change["kind"] == "moved" and change["previous_segment"] is not None:
            ways[change["user_id"]] += [change["previous_segment"], change["segment"]]
    flaps = {
        user_id: sum(way[i] in way[: i + 1 : 2][:-1] or way[i] in way[:i:2] for i in range(1, len(way), 2))
        for user_id, way in ways.items()
    }
    return {
        "moving_users": len(ways),
        "moves": sum(map(len, ways.values())) // 2,
        "flaps": sum(flaps.values()),
        "flapping_users": sum(count > 0 for count in flaps.values()),
        "entered": {s: n for s in range(9) if (n := sum(w[1::2].count(s) for w in ways.values()))},
        "left": {s: n for s in range(9) if (n := sum(w[::2].count(s) for w in ways.values()))},
    }


def predicted(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same numbers from a rehearsal's JSON."""
    return {
        "moving_users": run["moving_users"],
        "moves": sum(run["moves"].values()),
        "flaps": run["flaps"],
        "flapping_users": run["flapping_users"],
        "entered": {int(s): each["entered"] for s, each in run["segments"].items() if each["entered"]},
        "left": {int(s): each["left"] for s, each in run["segments"].items() if each["left"]},
    }


def test_predicted_and_observed_are_equal(deployment: Deployment, releases: tuple[Path, Path]) -> None:
    facts = some_facts()
    orders = [event for event in facts if isinstance(event, Order) and event.at >= WINDOW]
    assert len(orders) > 250
    deployment.publish(releases[0])
    deployment.worker().ready()
    before = [event for event in facts if not isinstance(event, Order) or event.at < WINDOW]
    deployment.send(before)
    deployment.caught_up()
    known = len(changes_of(deployment))
    time.sleep(GAP_S)
    begin_s = time.time() - GAP_S + 5
    deployment.send(orders)
    deployment.caught_up()
    observed = changes_of(deployment)
    observed = [one for one in observed if one["cause"]["type"] == "order" and written(one) >= begin_s]
    assert len(observed) > 100
    assert known > 500

    (deployment.folder / "triggers.toml").write_text(TRIGGERS, encoding="utf-8")
    options = ("--dry-run", "--json", "--triggers", "triggers.toml", *ANYTHING)
    done = deployment.segue("publish", releases[1], "--rehearse", since(begin_s), *options)
    told = json.loads(done.stdout)
    rehearsal = told["rehearsal"]
    assert (told["activation"], told["refusal"]) == (None, None)
    assert rehearsal["events"] == len(orders)
    assert rehearsal["undecided_before"] == 0
    assert rehearsal["current"]["version"] == releases[0].name
    assert predicted(rehearsal["current"]) == predicted(rehearsal["live"]) == counted(observed)
    assert rehearsal["current"]["flaps"] > 0
    # On a slow machine it may say that it waits for Kafka.
    page = [line for line in done.stderr.splitlines() if not line.startswith("Kafka at ")]
    assert any(line.startswith("Suggested min_margin: ") for line in page)
    assert [line for line in page if "would be published" not in line and len(line) > 100] == []

    # The webhooks, too: predicted, for the real changes, and by the dry run.
    webhooks = rehearsal["current"]["webhooks"]
    assert sorted(webhooks) == ["in", "out"]
    assert all(each["sent"] > 5 for each in webhooks.values())
    assert webhooks == rehearsal["live"]["webhooks"] != rehearsal["new"]["webhooks"]
    dry = ("triggers", "run", "triggers.toml", "--dry-run", "--since", since(begin_s))
    assert json.loads(deployment.segue(*dry, "--json").stdout)["triggers"] == webhooks
    assert ["in", f"{webhooks['in']['sent']:,}"] in [
        line.split() for line in deployment.segue(*dry).stdout.splitlines()
    ]

    # The gate refuses on flaps, and writes nothing.
    refused = deployment.segue(
        "publish",
        releases[1],
        "--rehearse",
        since(begin_s),
        "--max-moved",
        "1",
        "--max-flaps",
        "0",
        check=False,
    )
    assert refused.returncode == 11
    assert "would return to a segment they left, and the limit is 0%" in refused.stderr
    gate = ("--triggers", "triggers.toml", "--max-webhooks", "0", *ANYTHING)
    refused = deployment.segue("publish", releases[1], "--rehearse", since(begin_s), *gate, check=False)
    assert refused.returncode == 11
    assert "webhooks on " in refused.stderr
    assert len(deployment.activations()) == 1

    # The same command publishes what the gate lets pass, and the sweep moves whom the rehearsal names.
    again = ("--json", "--triggers", "triggers.toml", *ANYTHING)
    done = deployment.segue("publish", releases[1], "--rehearse", since(begin_s), *again)
    switch = json.loads(done.stdout)["rehearsal"]["switch"]
    deployment.swept()
    moved = [
        (change["user_id"], change["previous_segment"], change["segment"])
        for change in changes_of(deployment)
        if change["cause"]["type"] == "model" and change["kind"] == "moved"
    ]
    assert moved
    assert sorted(moved) == sorted(
        (one["user_id"], one["previous_segment"], one["segment"]) for one in switch["moved"]
    )
    assert switch == rehearsal["switch"]

    early = deployment.segue("publish", releases[1], "--rehearse", "3650d", "--force", check=False)
    assert early.returncode == 2
    assert "option --rehearse reaches back to " in early.stderr
    assert "but the log begins at 20" in early.stderr


def written(change: Mapping[str, Any]) -> float:
    """Return when the worker decided, in seconds since 1970: after the event was written."""
    return datetime.fromisoformat(change["emitted_at"]).timestamp()


@pytest.mark.wide
def test_a_month_of_thelook_after_a_bootstrap(deployment: Deployment, releases: tuple[Path, Path]) -> None:
    deployment.publish(releases[0])
    deployment.segue("bootstrap", "--warehouse", THELOOK, "--as-of", AS_OF)
    begin = datetime.fromisoformat(f"{AS_OF}T00:00:00+00:00")
    with open_warehouse(str(THELOOK)) as warehouse:
        month = [event for event in warehouse.events() if event.at >= begin]
    deployment.worker().ready()
    deployment.send(month)
    deployment.caught_up()

    without = deployment.segue("publish", releases[1], "--rehearse", "1h", "--dry-run", check=False)
    assert without.returncode == 7
    assert "name the warehouse of that bootstrap (--warehouse)" in without.stderr
    began_s = time.monotonic()
    options = ("--rehearse", "1h", "--warehouse", THELOOK, "--dry-run", "--json", *ANYTHING)
    rehearsal = json.loads(deployment.segue("publish", releases[1], *options).stdout)["rehearsal"]
    print(f"\n{len(month):,} events of thelook rehearsed in {time.monotonic() - began_s:.1f} s")

    assert rehearsal["events"] == len(month)
    assert rehearsal["undecided_before"] == 0
    assert rehearsal["switch"]["users"] > 15_000
    changes = changes_of(deployment)
    assert predicted(rehearsal["current"]) == predicted(rehearsal["live"])
    assert rehearsal["live"]["moving_users"] == counted(changes)["moving_users"] > 0


def test_what_cannot_be_rehearsed_is_said(deployment: Deployment, releases: tuple[Path, Path]) -> None:
    first = deployment.segue("publish", releases[0], "--rehearse", "30d", check=False)
    assert first.returncode == 2
    assert "so there is nothing to rehearse against: publish the first release without" in first.stderr
    deployment.publish(releases[0])
    empty = deployment.segue("publish", releases[1], "--rehearse", "30d", "--force", check=False)
    assert empty.returncode == 6
    deployment.worker().ready()
    empty = deployment.segue("publish", releases[1], "--rehearse", "30d", "--force", check=False)
    assert empty.returncode == 2
    assert "there is nothing for --rehearse: the topics have no event yet; leave it out" in empty.stderr
