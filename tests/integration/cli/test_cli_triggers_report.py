"""`segue triggers report` over a ledger in Kafka and the orders in a warehouse."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from schemas.topics import Topics
from segue.cli.main import run
from segue.config.settings import Settings
from segue.console.facts.console_files import ConsoleFiles
from segue.console.facts.live_facts import LiveFacts
from segue.services import KafkaService
from segue.show.json_line import json_line
from segue.triggers.ledger_records import (
    DECIDING_KEY,
    PLACE_KEY,
    Deciding,
    Place,
    encode,
    entry_key,
    user_key,
)
from segue.triggers.policy import Entry, User, held_out
from segue.triggers.report.read_assignments import read_entries
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.topics_admin import create_topic
from tests.support.inputs.shops import Shop, write_csv
from tests.support.servers.services import HANG_S

T = datetime(2024, 3, 1, tzinfo=UTC)
FILE = """
[triggers.win_back]
on = "entering"
segment = 1
url = "https://crm.example.com/hooks"
holdout = 0.5

[triggers.welcome]
on = "entering"
segment = 2
url = "https://crm.example.com/hooks"
"""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kafka: KafkaService, topic_prefix: str) -> Topics:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    Path("segue.toml").write_text(f'kafka = "{kafka.bootstrap}"\ntopic_prefix = "{topic_prefix}"\n')
    Path("triggers.toml").write_text(FILE)
    shop = Shop()
    for number in range(600):
        user = f"u{number}"
        shop.user(user)
        if not held_out("win_back", user, 0.5) or number % 4 == 0:
            at = f"{T + timedelta(days=number % 28, seconds=1):%Y-%m-%d %H:%M:%S}"
            shop.order(f"o{number}", user, [{"sale_price": "10"}], at)
    shop.order("last", "somebody", [{"sale_price": "10"}], "2024-06-01 00:00:00")
    write_csv(shop, tmp_path / "warehouse")
    return Topics(topic_prefix)


def send(kafka: KafkaService, topics: Topics) -> None:
    admin = Admin({"bootstrap.servers": kafka.bootstrap}, HANG_S)
    create_topic(admin, NewTopic(topics.trigger_ledger, 3, config={"cleanup.policy": "compact"}), HANG_S)
    admin.describe_settled([topics.trigger_ledger], HANG_S)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for number in range(600):
        user = f"u{number}"
        out = held_out("win_back", user, 0.5)
        entry = Entry("e", T, T, 1, "held_out" if out else "sent")
        producer.produce(topics.trigger_ledger, encode(entry), entry_key("win_back", user))
    gone = entry_key("win_back", "erased")
    producer.produce(topics.trigger_ledger, encode(Entry("e", T, T, 1, "sent")), gone)
    producer.produce(topics.trigger_ledger, None, gone)
    producer.produce(topics.trigger_ledger, encode(Place("g", "t", 1)), PLACE_KEY)
    producer.produce(topics.trigger_ledger, encode(Deciding("t")), DECIDING_KEY)
    producer.produce(topics.trigger_ledger, encode(User()), user_key("u1"))
    producer.produce(topics.trigger_ledger, encode(Entry("e", T, T, 1, "sent")), entry_key("welcome", "u1"))
    assert producer.flush(HANG_S) == 0


def test_the_report(kafka: KafkaService, world: Topics, capsys: pytest.CaptureFixture[str]) -> None:
    send(kafka, world)
    settings = Settings(kafka=kafka.bootstrap, topic_prefix=world.prefix)
    assert set(read_entries(settings, ["win_back"])) == {entry_key("win_back", f"u{n}") for n in range(600)}
    command = ["triggers", "report", "triggers.toml", "--warehouse", "warehouse"]
    assert run(command) == 0
    first, orders, seen, spend, _ = capsys.readouterr().out.splitlines()
    held = sum(held_out("win_back", f"u{number}", 0.5) for number in range(600))
    assert (
        first == f"win_back: {600 - held} users got the webhook, {held} were held out (50%); 28 days after."
    )
    assert orders.startswith("  orders per user: 1.000 with, 0.2")
    assert seen.startswith("    The trigger changed it; an effect of 0.")
    assert spend.startswith("  spend per user: 10.000 with, 2.")
    assert run([*command, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    with closing(LiveFacts(settings, ConsoleFiles(Path(), Path("triggers.toml"), "warehouse"))) as console:
        assert [json_line(each) for each in console.lift()] == [line]
    report = json.loads(line)
    assert report["trigger"] == "win_back"
    assert report["comparison"]["treated"] == {"users": 600 - held, "buyers": 600 - held}
    (of_orders, of_spend) = report["comparison"]["differences"]
    assert of_orders["low"] < of_orders["difference"] < of_orders["high"]
    assert of_spend["treated"] == 10
    # All orders lie in 28 days; in the first 7 a quarter of them.
    assert run([*command, "--days", "7"]) == 0
    assert "orders per user: 0.2" in capsys.readouterr().out


def test_what_cannot_be_reported(
    world: Topics, kafka: KafkaService, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["triggers", "report", "triggers.toml", "--warehouse", "warehouse"]
    assert run([*command, "--days", "0"]) == 2
    assert "option --days is 0: give 1 to 3650 days" in capsys.readouterr().err
    assert run(command) == 6
    said = capsys.readouterr().err
    assert f"there is no topic {world.trigger_ledger}" in said
    assert "start `segue triggers run`" in said
    Path("triggers.toml").write_text(FILE.replace("holdout = 0.5", ""))
    assert run(command) == 2
    assert "no trigger of triggers.toml has a holdout" in capsys.readouterr().err
