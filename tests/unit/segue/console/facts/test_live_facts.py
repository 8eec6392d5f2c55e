"""Facts of a Kafka that does not answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from schemas.errors import Unreachable
from segue.config.settings import Settings
from segue.console.facts import live_facts
from segue.console.facts.console_files import ConsoleFiles
from segue.console.facts.live_facts import LiveFacts
from streamer.kafka.kafka_admin import TopicFacts
from streamer.releases.release_follower import Releases

SETTINGS = Settings(kafka="127.0.0.1:1", redis="redis://127.0.0.1:1")


class StuckAdmin:
    """Finds its topics, but never a group's coordinator, as librdkafka after a long hang of Kafka."""

    made = 0

    def __init__(self, _client: object, _request_s: float) -> None:
        StuckAdmin.made += 1

    def topic(self, _name: str) -> TopicFacts:
        return TopicFacts("id", 1)

    def describe(self, names: Sequence[str]) -> dict[str, TopicFacts]:
        return dict.fromkeys(names, TopicFacts("id", 1))

    def committed(self, _group: str, _places: Sequence[TopicPartition]) -> None:
        raise Unreachable("Kafka did not return the offsets of the group")


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveFacts]:
    monkeypatch.setattr(Releases, "start", lambda _releases: None)
    monkeypatch.setattr(live_facts, "_TRIGGERS_S", 0.0)
    with closing(LiveFacts(SETTINGS, ConsoleFiles(Path("releases")))) as made:
        yield made


def test_a_request_without_an_answer_makes_a_new_admin(
    facts: LiveFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_facts, "Admin", StuckAdmin)
    monkeypatch.setattr("segue.console.facts.trigger_counts.members_of", lambda *_: 1)
    for made in (1, 2):
        with pytest.raises(Unreachable, match="offsets of the group"):
            facts.triggers()
        assert StuckAdmin.made == made


def test_dead_letters_wait_no_longer_than_a_person(
    facts: LiveFacts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live_facts, "DEADLINE_S", 0.2)
    with pytest.raises(Unreachable, match="did not describe topic segment-dead-letters"):
        facts.letters()
    assert capsys.readouterr().err == ""
