"""The commands one after the other, on real servers, as somebody uses them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from schemas.outputs.headers import dead_letter
from schemas.outputs.wire import encode_change
from schemas.partitioner import partition_of
from segue.cli.main import run
from segue.config.settings import Settings
from segue.connect import kafka_access as segue_kafka
from segue.connect import wait_for_servers
from segue.connect.read_topics import CommittedReader
from segue.services import KafkaService, LocalKafka, RedisService
from segue.services.process.ports import free_ports
from tests.support.inputs.made_change import a_change
from tests.support.inputs.shops import Shop, write_csv
from tests.support.servers.acl import login
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S
from tests.support.servers.topic_admin import create_patiently

Capture = pytest.CaptureFixture[str]
Segue = Callable[..., int]

BRANDS = ("Acme", "Bolt", "Core", "Dune", "Echo")
NEW_USER = {"user_id": 900, "created_at": "2024-06-02T00:00:00Z", "age": 33, "gender": "F"}


def history() -> Shop:
    """Forty users of before June, with one to four orders each."""
    made = Shop()
    for number in range(40):
        made.user(
            str(number),
            "2024-01-01 00:00:00",
            age=str(18 + number),
            gender="FM"[number % 2],
            country=("Brasil", "China", "Spain")[number % 3],
            traffic_source=("Search", "Email")[number // 2 % 2],
        )
        for order in range(1 + number % 4):
            made.order(
                f"{number}-{order}",
                str(number),
                [f"{BRANDS[number % 5]}/Socks", f"{BRANDS[order]}/{('Jeans', 'Shoes')[number % 2]}"],
                f"2024-02-{order + 1:02} 00:00:00",
            )
    return made.order("12-9", "12", ["Echo/Jeans"] * 9, "2024-06-01 00:00:00")


@pytest.fixture
def segue(
    kafka: KafkaService,
    redis_server: RedisService,
    topic_prefix: str,
    redis_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Segue]:
    """Run a command in this process, under a settings file with the test's own names, and with the rights in
    Redis that docs/redis.md asks for.
    """
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SEGUE_{name.upper()}", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("SEGUE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    with login(redis_server.url, redis_prefix) as url:
        (tmp_path / "segue.toml").write_text(
            f'kafka = "{kafka.bootstrap}"\nredis = "{url}"\n'
            f'topic_prefix = "{topic_prefix}"\nredis_prefix = "{redis_prefix}"\ngroup = '
            f'"{topic_prefix}group"\n'
            "partitions = 2\nsimilar_users = 3\n",
            encoding="utf-8",
        )
        yield lambda *arguments: run([str(argument) for argument in arguments])


def test_from_the_warehouse_to_a_change_and_a_user_explained(
    segue: Segue, topic_prefix: str, tmp_path: Path, capsys: Capture
) -> None:
    tables = write_csv(history(), tmp_path / "tables")
    june = ("--warehouse", tables, "--as-of", "2024-06-01")

    assert segue("train", *june, "--k", "3", "--no-compare") == 0
    release = capsys.readouterr().out.splitlines()[-1]

    assert segue("publish", release, "--json") == 0
    published = json.loads(capsys.readouterr().out)
    assert (published["version"], published["activation"]) == (Path(release).name, 1)

    assert segue("bootstrap", *june, "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"users": 40, "records": 40, "refused": []}
    assert f"Created the topics {topic_prefix}orders, " in shown.err
    assert "2 partitions each" in shown.err

    assert segue("bootstrap", *june) == 9
    assert "lane 0 has a place in Redis already" in capsys.readouterr().err

    assert segue("user", "12", "--json") == 0
    before = json.loads(capsys.readouterr().out)
    assert before["features"]["most_frequent_brand"] == "Core"
    assert before["features"]["total_orders"] == 1
    assert before["positions"] == {f"{topic_prefix}signups": 0, f"{topic_prefix}orders": 0}

    events = tmp_path / "events.jsonl"
    events.write_text(json.dumps({"topic": "signups", "key": "900", "value": NEW_USER}) + "\n")
    with SegueProcess(tmp_path, "worker") as worker:
        for lane in (0, 1):
            worker.says(f"lane={lane} phase=live")
        assert segue("ingest", events) == 0
        assert "Sent 1 event (1 on" in capsys.readouterr().err
        assert segue("ingest", "--warehouse", tables, "--since", "2024-06-01", "--json") == 0
        assert json.loads(capsys.readouterr().out)["orders"] == 1
        assert segue("tail", "--from-beginning", "--user", "900", "--max", "1") == 0
        assert "user 900 is new in " in capsys.readouterr().out
        worker.terminate()
        assert worker.ends() == 0

    assert segue("user", "12", "--json") == 0
    after = json.loads(capsys.readouterr().out)
    assert after["features"]["most_frequent_brand"] == "Echo"
    assert after["features"]["total_orders"] == 2
    assert sum(after["positions"].values()) in (1, 2)
    assert after["model_version"] == published["version"]
    assert len(after["similar_users"]) == 3
    assert after["distance"] > 0

    assert segue("user", "12") == 0
    assert "Echo" in capsys.readouterr().out
    assert segue("user", "--all", "--json") == 0
    users = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {user["user_id"] for user in users} == {*map(str, range(40)), "900"}
    for name in (
        "user_id",
        "features",
        "components",
        "segment",
        "provisional",
        "missing",
        "sequence",
        "model_version",
        "activation",
        "positions",
    ):
        assert all(name in user for user in users)
    assert segue("user", "7777") == 1
    assert "user '7777' is not in Redis" in capsys.readouterr().err

    # What is known of user 12 gives the same score when it is only thought of, with or without Kafka.
    features = after["features"]
    options = [
        part for name, value in features.items() for part in (f"--{name.replace('_', '-')}", str(value))
    ]
    for source in ([], ["--release", release]):
        assert segue("predict", *options, *source, "--json") == 0
        thought = json.loads(capsys.readouterr().out)
        assert thought["components"] == after["components"]
        assert thought["segment"] == after["segment"]

    assert segue("doctor", "--json") == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["release"]["state"] == "ok"
    assert checks["group"] == {
        "name": "group",
        "state": "warn",
        "text": f"{topic_prefix}group has 0 workers",
        "fix": "start one: segue worker",
    }
    assert checks["lane 0"]["text"] == checks["lane 1"]["text"] == "no event behind"
    assert "41 users" in checks["users"]["text"]


ORDERS = "\x1b[2J\x9b31m\x07\u202e"
MARKUP = "[/sale] [red]X[/red] :heart:"
HOSTILE = f"7{ORDERS}{MARKUP}\ttab\nline"


def test_no_text_of_a_shop_gives_a_terminal_orders(
    segue: Segue,
    kafka: KafkaService,
    redis_server: RedisService,
    topic_prefix: str,
    redis_prefix: str,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    shop = history()
    shop.user(HOSTILE, "2024-01-01 00:00:00", age="30", gender="F", country=HOSTILE, traffic_source="Search")
    shop.order(
        HOSTILE, HOSTILE, [{"product_brand": HOSTILE, "product_category": HOSTILE}], "2024-02-01 00:00:00"
    )
    june = ("--warehouse", write_csv(shop, tmp_path / "tables"), "--as-of", "2024-06-01")
    seen: list[str] = []

    def tells(code: int, *arguments: object) -> str:
        assert segue(*arguments) == code, capsys.readouterr()
        shown = capsys.readouterr()
        told = shown.out + shown.err
        bad = sorted(
            {mark for mark in told if unicodedata.category(mark) in ("Cc", "Cf") and mark not in "\t\n"}
        )
        assert not bad, (arguments, bad, told)
        seen.append(told)
        return shown.out

    release = tells(0, "train", *june, "--k", "3", "--no-compare").splitlines()[-1]
    tells(0, "publish", release)
    tells(0, "bootstrap", *june)
    tells(0, "releases")
    assert MARKUP in tells(0, "user", HOSTILE)
    assert json.loads(tells(0, "user", HOSTILE, "--json"))["features"]["country"] == HOSTILE
    assert any(
        line.startswith("7\\x1b[2J\\x9b31m\\x07\\u202e[/sale]")
        for line in tells(0, "user", "--all").splitlines()
    )
    assert HOSTILE in [
        json.loads(line)["user_id"] for line in tells(0, "user", "--all", "--json").splitlines()
    ]
    tells(1, "user", f"nobody{HOSTILE}")
    tells(0, "predict", "--country", HOSTILE, "--most-frequent-brand", HOSTILE)

    letter = dead_letter(
        key=HOSTILE.encode(),
        value=HOSTILE.encode(),
        headers=(),
        topic=f"{topic_prefix}orders",
        partition=0,
        offset=0,
        timestamp_ms=0,
        reason=HOSTILE,
    )
    changed = a_change(user_id=HOSTILE, segment_name=HOSTILE, missing=(HOSTILE,), provisional=True)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    key, value, headers = letter
    producer.produce(f"{topic_prefix}segment-dead-letters", value, key, headers=list(headers))
    producer.produce(f"{topic_prefix}segment-changes", encode_change(changed), HOSTILE.encode())
    assert producer.flush(HANG_S) == 0
    assert MARKUP in tells(0, "tail", "--from-beginning", "--max", "1")
    assert json.loads(tells(0, "tail", "--from-beginning", "--max", "1", "--json"))["user_id"] == HOSTILE
    assert "[/sale] [red]X" in " ".join(
        tells(0, "dead-letters", "list").split()
    )  # a table is cut to its width
    tells(0, "dead-letters", "list", "--json")
    tells(0, "dead-letters", "retry", "--all", "--dry-run")

    with redis.Redis.from_url(redis_server.url) as store:
        store.hset(f"{redis_prefix}user:{HOSTILE}", "segment_name", f"x{HOSTILE}")
    tells(1, "verify", "--warehouse", june[1])
    tells(0, "replay", "--warehouse", june[1])
    tells(0, "forget", HOSTILE)
    tells(3, "ingest", tmp_path / HOSTILE)
    (tmp_path / "bad.jsonl").write_text(HOSTILE, encoding="utf-8")
    tells(3, "ingest", tmp_path / "bad.jsonl")
    tells(2, f"--{HOSTILE}")
    tells(2, "user", HOSTILE, "--redis-prefix", HOSTILE, "--kafka", HOSTILE)
    assert sum("\\x1b[2J" in told for told in seen) > 8


def test_a_bad_line_stops_before_more_is_sent_and_what_was_sent_is_counted(
    segue: Segue, tmp_path: Path, capsys: Capture
) -> None:
    events = tmp_path / "events.jsonl"
    good = json.dumps({"topic": "signups", "key": "1", "value": {}})
    events.write_text(f"{good}\n{good}\n{{\n{good}\n")

    assert segue("ingest", events) == 3

    shown = capsys.readouterr().err
    assert f"Sent 2 events, up to {events}, line 2. To go on, send the lines after it.\nError: " in shown
    assert f"Error: {events}, line 3: it is not JSON" in shown
    assert segue("ingest", events, "--json") == 3  # and again: nothing hangs, nothing is left open


def test_a_rate_is_kept_and_every_event_arrives_once(
    segue: Segue, kafka: KafkaService, topic_prefix: str, tmp_path: Path, capsys: Capture
) -> None:
    events = tmp_path / "events.jsonl"
    lines = [json.dumps({"topic": "orders", "key": str(n), "value": {"n": n}}) for n in range(50)]
    events.write_text("\n".join(lines))

    assert segue("ingest", events, "--rate", "100", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert told["orders"] == told["events"] == 50
    assert told["seconds"] >= 0.49  # the 50th is due 49 hundredths after the first
    reader = CommittedReader(
        {"bootstrap.servers": kafka.bootstrap}, [f"{topic_prefix}orders"], from_beginning=True
    )
    ends = reader.ends()
    values = []
    while not reader.has_reached(ends):
        message = reader.poll(0.2)
        if message is not None:
            value = message.value()
            assert value is not None
            values.append(json.loads(value)["n"])
            key = message.key()
            assert isinstance(key, bytes)
            assert message.partition() == partition_of(key.decode(), 2)
    reader.close()
    assert sorted(values) == list(range(50))


def test_an_event_that_kafka_refuses_is_named(
    segue: Segue, topic_prefix: str, tmp_path: Path, capsys: Capture
) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(json.dumps({"topic": "signups", "key": "1", "value": "x" * 6_000_000}))

    assert segue("ingest", events) == 6
    assert (
        f"Kafka refuses the event of {events}, line 1: 6,000,002 bytes are more than {topic_prefix}signups "
        "takes"
    ) in capsys.readouterr().err


def test_a_login_that_lacks_a_right_ends_a_worker_with_the_remedy(
    segue: Segue, redis_server: RedisService, redis_prefix: str, capsys: Capture
) -> None:
    with login(redis_server.url, redis_prefix, without="evalsha") as url:
        assert segue("worker", "--redis", url) == 8
        told = capsys.readouterr().err.splitlines()[-1]
        assert told.startswith("Error: Redis at ")
        assert told.endswith(f" what Segue needs: EVALSHA: ACL SETUSER {urlsplit(url).username} +evalsha")


def test_topics_with_unequal_counts_are_refused(
    segue: Segue, kafka: KafkaService, topic_prefix: str, tmp_path: Path, capsys: Capture
) -> None:
    unequal = [NewTopic(f"{topic_prefix}{name}", count, 1) for name, count in (("signups", 2), ("orders", 3))]
    create_patiently(kafka.bootstrap, unequal)

    assert segue("worker") == 6

    told = f"topic {topic_prefix}signups has 2 partitions and {topic_prefix}orders has 3"
    assert told in capsys.readouterr().err
    assert segue("doctor") == 1
    assert told in " ".join(capsys.readouterr().out.split())


def test_tail_without_its_topic_says_how_it_comes_to_be(segue: Segue, capsys: Capture) -> None:
    assert segue("tail", "--max", "1") == 6
    assert "segment-changes at" in capsys.readouterr().err


def test_no_broker_is_one_sentence_when_patience_ends(
    segue: Segue, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_for_servers, "PATIENCE_S", 0.0)
    monkeypatch.setattr(segue_kafka, "DEADLINE_S", 0.5)
    (tmp_path / "events.jsonl").write_text('{"topic": "signups", "key": "1", "value": {}}')

    assert segue("ingest", "events.jsonl", "--kafka", "127.0.0.1:1") == 5

    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith("Error: Kafka at 127.0.0.1:1 did not ")
    assert "Connection refused" in told[-1]


@pytest.mark.wide
def test_a_command_that_begins_before_its_broker_waits_for_it(
    segue: Segue, tmp_path: Path, fresh_kafka: Callable[..., LocalKafka]
) -> None:
    (port,) = free_ports(1)
    (tmp_path / "events.jsonl").write_text('{"topic": "signups", "key": "1", "value": {}}')
    where = {"SEGUE_KAFKA": f"127.0.0.1:{port}", "SEGUE_CONFIG": str(tmp_path / "segue.toml")}
    with SegueProcess(tmp_path, "ingest", "events.jsonl", environment=where) as ingest:
        ingest.says(f"Kafka at 127.0.0.1:{port} has not answered yet. Waiting since ")
        fresh_kafka(port=port)
        assert (
            segue("publish", tmp_path, "--kafka", f"127.0.0.1:{port}") == 4
        )  # as always: no release lies there
        assert segue("rollback", "--kafka", f"127.0.0.1:{port}") == 4
        assert ingest.ends() == 0
        assert f"Kafka at 127.0.0.1:{port} answers, after " in ingest.err
        assert "Sent 1 event (1 on" in ingest.err


def test_no_redis_is_one_sentence(segue: Segue, capsys: Capture) -> None:
    assert segue("user", "1", "--redis", "redis://:secret@127.0.0.1:1/0") == 5

    told = capsys.readouterr().err
    assert told.startswith("Error: Redis at 127.0.0.1:1 ")
    assert "secret" not in told
