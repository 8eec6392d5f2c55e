"""`segue triggers` on a real Kafka, with a receiver that fails, and processes that are killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from standardwebhooks import Webhook

from schemas.errors import BadTopics
from schemas.outputs.segment_change import Cause, Change, SegmentChange, UserErasedChange
from schemas.outputs.wire import encode_change, encode_release
from schemas.topics import Topics, topic_configs
from segue.connect.read_topics import CommittedReader
from segue.services import KafkaService, RedisService
from segue.triggers import ledger_records as ledger
from streamer.kafka.models_topic import ModelsTopic
from tests.support.checks.whole_ledger import WholeLedger
from tests.support.inputs.made_change import AT, a_change
from tests.support.servers.acl import login
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S, eventually
from tests.support.servers.webhook_receiver import Reply, WebhookReceiver
from tests.support.worlds.made_up_release import a_release

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PARTITIONS = 2


class Stage:
    """The topics of one test, changes on them, and `segue triggers` in a folder."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, url: str, redis_prefix: str) -> None:
        self._redis, self._redis_prefix = url, redis_prefix
        self.bootstrap, self.folder, self.topics = bootstrap, folder, Topics(prefix)
        configs = topic_configs(self.topics)
        wanted = [
            NewTopic(n, PARTITIONS, config=configs[n]) for n in (self.topics.changes, self.topics.users)
        ]
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for made in admin.create_topics(wanted).values():
            made.result(HANG_S)
        self._producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
        self._runs = 0
        self._now = int(time.time())

    def write(self, changes: Sequence[Change]) -> None:
        """Write changes as a lane does: to both topics."""
        for change in changes:
            key, value = change.user_id.encode(), encode_change(change)
            self._producer.produce(self.topics.changes, value, key)
            self._producer.produce(
                self.topics.users, None if isinstance(change, UserErasedChange) else value, key
            )
        assert self._producer.flush(HANG_S) == 0

    def file(self, url: str, more: str = "", top: str = "") -> None:
        """Write triggers.toml: one on entering segment 1, as often as it happens."""
        (self.folder / "triggers.toml").write_text(
            f'{top}\n[triggers.hello]\non = "entering"\nsegment = 1\nreentry = "always"\nurl = "{url}"\n'
            f'secret_env = "HELLO_SECRET"\nrate = 10000\nconcurrency = 8\nmax_age = "1000d"\n{more}\n'
        )

    def triggers(self, *arguments: str) -> SegueProcess:
        """A `segue triggers` process."""
        self._runs += 1
        folder = self.folder / f"run{self._runs}"
        folder.mkdir()
        command, *rest = arguments
        return SegueProcess(
            folder,
            "triggers",
            command,
            str(self.folder / "triggers.toml"),
            *rest,
            environment={
                "SEGUE_KAFKA": self.bootstrap,
                "SEGUE_TOPIC_PREFIX": self.topics.prefix,
                "SEGUE_REDIS": self._redis,
                "SEGUE_REDIS_PREFIX": self._redis_prefix,
                "SEGUE_SESSION_TIMEOUT_MS": "6000",
                "HELLO_SECRET": SECRET,
            },
        )

    def ledger(self) -> tuple[WholeLedger, dict[str, int], int, list[tuple[bytes, str]]]:
        """The whole ledger; the outcomes of `hello` by name; all changes; each entry that was written."""
        topic = self.topics.trigger_ledger
        try:
            reader = CommittedReader({"bootstrap.servers": self.bootstrap}, [topic], from_beginning=True)
        except BadTopics as error:
            raise AssertionError("not made yet") from error
        found, said = WholeLedger(), []
        places = {}
        ends = reader.ends()
        try:
            while not reader.has_reached(ends):
                message = reader.poll(0.2)
                if message is None:
                    continue
                key, value = message.key(), message.value()
                assert key is not None
                found.take(key, value)
                if key == ledger.PLACE_KEY:
                    places[message.partition()] = found.place
                elif b"/" in key[1:] and value is not None:
                    said.append((key, ledger.read_entry(value).event_id))
        finally:
            reader.close()
        counts: dict[str, int] = {}
        for place in places.values():
            assert place is not None
            for outcome, count in place.counts.get("hello", {}).items():
                counts[outcome] = counts.get(outcome, 0) + count
        return found, counts, sum(place.changes for place in places.values() if place), said

    def copy(self) -> dict[bytes, bytes]:
        """What Redis holds of users."""
        found: dict[bytes, bytes] = {}
        with redis.Redis.from_url(self._redis) as client:
            for lane in range(PARTITIONS):
                found |= client.hgetall(f"{self._redis_prefix}triggers:{lane}")
        return {key: value for key, value in found.items() if b"/" in key}

    def lose_copy(self) -> None:
        """Delete the copy of both lanes."""
        with redis.Redis.from_url(self._redis) as client:
            for lane in range(PARTITIONS):
                client.unlink(f"{self._redis_prefix}triggers:{lane}")


@pytest.fixture
def stage(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, redis_prefix: str, tmp_path: Path
) -> Iterator[Stage]:
    with login(redis_server.url, redis_prefix) as url:
        yield Stage(kafka.bootstrap, topic_prefix, tmp_path, url, redis_prefix)


def visits(users: int, rounds: int) -> list[Change]:
    """Every user enters segment 1 and leaves it, some rounds."""
    made: list[Change] = []
    for turn in range(rounds):
        for user in range(users):
            for step, segment in enumerate((1, 0)):
                number = 2 * turn + step
                made.append(
                    a_change(
                        user_id=f"u{user}",
                        event_id=f"{user:016x}{number:016x}",
                        sequence=number + 1,
                        previous_segment=None if number == 0 else 1 - segment,
                        segment=segment,
                    )
                )
    return made


def entries_of(changes: Sequence[Change]) -> list[str]:
    return [f"{c.event_id}-hello" for c in changes if isinstance(c, SegmentChange) and c.segment == 1]


def in_order(receiver: WebhookReceiver, changes: Sequence[Change]) -> None:
    """Each user's webhooks were taken in the order of the changes, repeats apart."""
    places = {name: number for number, name in enumerate(entries_of(changes))}
    last: dict[str, int] = {}
    for name in dict.fromkeys(r.webhook_id for r in receiver.requests if r.status == 204):
        user = name[:16]
        assert places[name] > last.get(user, -1)
        last[user] = places[name]


def test_a_webhook_is_signed_and_a_user_who_was_there_before_enters_nothing(stage: Stage) -> None:
    before = a_change(user_id="old", previous_segment=None, segment=1, sequence=1)
    stage.write([before])
    with WebhookReceiver() as receiver:
        stage.file(receiver.url)
        with stage.triggers("run") as process:
            process.says("lane is live")
            process.says("lane=1")
            eventually(lambda: stage.ledger()[0].place)
            time.sleep(0.5)
            confirmed = a_change(user_id="old", event_id="b" * 32, kind="confirmed", segment=1, sequence=2)
            new = a_change(user_id="new", event_id="c" * 32, previous_segment=None, segment=1, sequence=1)
            stage.write([confirmed, new])
            eventually(lambda: receiver.requests)
            process.terminate(signal.SIGINT)
            assert process.ends() == 0
            assert "hello: of 2 changes 1 sent, 1 skipped: other" in process.err
        (request,) = receiver.requests
    assert request.webhook_id == f"{'c' * 32}-hello"
    Webhook(SECRET).verify(request.body, dict(request.headers))
    assert json.loads(request.body)["data"]["change"]["user_id"] == "new"


@pytest.mark.long
def test_dead_letters_are_sent_again_and_an_erasure_removes_them(stage: Stage) -> None:
    changes = visits(users=3, rounds=1)
    gone = UserErasedChange(
        event_id="e" * 32,
        user_id="u0",
        sequence=3,
        occurred_at=a_change().emitted_at,
        emitted_at=a_change().emitted_at,
        cause=Cause(type="signup"),
    )
    with WebhookReceiver(lambda _id: Reply(410)) as receiver:
        stage.file(receiver.url)
        stage.write(changes)
        with stage.triggers("run", "--from-beginning") as process:
            eventually(lambda: stage.ledger()[1].get("dead_letter") == 3)
            stage.write([gone])
            eventually(lambda: stage.ledger()[2] == 7)
            process.terminate()
            assert process.ends() == 0
        found, counts, _, _ = stage.ledger()
        assert counts == {"dead_letter": 3, "skipped: other": 4}
        assert found.user("u0") is None
        assert found.entries("u0") == {}
        assert found.entries("u1")["hello"].outcome == "dead_letter"
        with stage.triggers("retry") as process:
            assert process.ends() == 1
            assert "0 of 2 dead letters sent." in process.err
            assert "the receiver answered 410 Gone" in process.err
        receiver.reply = lambda _id: Reply()
        with stage.triggers("retry") as process:
            assert process.ends() == 0
            assert "2 of 2 dead letters sent." in process.err
        assert set(receiver.taken()) == set(entries_of(changes)[1:])
        with stage.triggers("retry") as process:
            assert process.ends() == 0
            assert "0 of 0 dead letters sent." in process.err


def test_a_segment_that_no_release_has_is_named(stage: Stage) -> None:
    release = a_release()
    topic = ModelsTopic(stage.topics, {"bootstrap.servers": stage.bootstrap}, HANG_S)
    topic.ensure()
    producer = Producer({"bootstrap.servers": stage.bootstrap})
    producer.produce(stage.topics.models, encode_release(release), b"current")
    assert producer.flush(HANG_S) == 0
    stage.file("http://127.0.0.1:1/")
    text = (stage.folder / "triggers.toml").read_text()
    (stage.folder / "triggers.toml").write_text(text.replace("segment = 1", 'segment = "At rsik"'))
    named = "trigger hello: the current release has no segment 'At rsik', it has 0 "
    with stage.triggers("check") as process:
        assert process.ends() == 0
        assert named in process.err
    with stage.triggers("run") as process:
        process.says(named)
        process.says("lane is live")


def test_a_bad_file_and_a_missing_topic_are_one_sentence(stage: Stage, kafka: KafkaService) -> None:
    stage.file("http://127.0.0.1:1/", 'on = "x"')
    with stage.triggers("run") as process:
        assert process.ends() == 2
        assert "the file is not TOML" in process.err
    stage.file("http://127.0.0.1:1/")
    with SegueProcess(
        stage.folder,
        *("triggers", "run", "triggers.toml"),
        environment={
            "SEGUE_KAFKA": kafka.bootstrap,
            "SEGUE_TOPIC_PREFIX": "nowhere-",
            "HELLO_SECRET": SECRET,
        },
    ) as process:
        assert process.ends() == 6
        assert "topics nowhere-segment-changes, nowhere-user-segments do not exist" in process.err


def test_a_retry_before_the_first_run_creates_no_topic(stage: Stage) -> None:
    stage.file("http://127.0.0.1:1/")
    for _ in range(2):
        with stage.triggers("retry") as process:
            assert process.ends() == 6
            missing = (
                f"there is no {stage.topics.trigger_ledger} and no {stage.topics.trigger_dead_letters}: "
            )
            assert f"{missing}`segue triggers run` makes them" in process.err


@pytest.mark.long
def test_killed_again_and_again_with_a_receiver_of_all_faults(stage: Stage) -> None:
    changes = visits(users=40, rounds=25)
    wanted = entries_of(changes)
    faults = [
        Reply(500),
        Reply(None),
        Reply(204, late_s=1.5),
        Reply(429, {"Retry-After": "0"}),
        Reply(302, {"Location": "/"}),
    ]
    seen: dict[str, int] = {}

    def reply(name: str) -> Reply:
        seen[name] = seen.get(name, 0) + 1
        pick = int.from_bytes(os.urandom(1))
        return faults[pick % len(faults)] if pick < 40 else Reply(204, late_s=0.005)

    with WebhookReceiver(reply) as receiver:
        stage.file(receiver.url, 'timeout = "1s"')
        stage.write(changes[:500])
        for kill in range(6):
            with stage.triggers("run", "--from-beginning") as process:
                before = len(receiver.requests)
                stage.write(changes[500 + 250 * kill : 750 + 250 * kill])
                eventually(lambda before=before: len(receiver.requests) > before + 60)  # type: ignore[misc]
                process.process.kill()
                process.ends()
        with stage.triggers("run") as process:
            eventually(lambda: stage.ledger()[2] == len(changes), deadline_s=240)
            process.terminate()
            assert process.ends() == 0
        found, counts, _, said = stage.ledger()
        assert counts == {"sent": len(wanted), "skipped: other": len(changes) - len(wanted)}
        assert set(receiver.taken()) == set(wanted)
        assert len(said) == len(set(said))
        in_order(receiver, changes)
        assert found.entries("u3")["hello"].times == 25


@pytest.mark.long
def test_two_processes_share_the_partitions_and_one_may_die(stage: Stage) -> None:
    changes = visits(users=30, rounds=10)
    with WebhookReceiver(lambda _id: Reply(late_s=0.02)) as receiver:
        stage.file(receiver.url)
        with stage.triggers("run", "--from-beginning") as first:
            first.says("lane=1")
            with stage.triggers("run", "--from-beginning") as second:
                second.says("lane is live")
                stage.write(changes)
                eventually(lambda: len(receiver.requests) > 100)
                first.process.kill()
                eventually(lambda: stage.ledger()[2] == len(changes), deadline_s=120)
                second.terminate()
                assert second.ends() == 0
        _, counts, _, said = stage.ledger()
        assert counts == {"sent": 300, "skipped: other": 300}
        assert set(receiver.taken()) == set(entries_of(changes))
        assert len(said) == len(set(said))
        in_order(receiver, changes)


def test_a_receiver_that_is_down_loses_nothing(stage: Stage) -> None:
    changes = visits(users=5, rounds=2)
    with WebhookReceiver(lambda _id: Reply(503)) as receiver:
        stage.file(receiver.url)
        stage.write(changes)
        with stage.triggers("run", "--from-beginning") as process:
            process.says("receiver fails")
            eventually(lambda: len(receiver.requests) > 6)
            receiver.reply = lambda _id: Reply()
            process.says("receiver works again")
            eventually(lambda: stage.ledger()[2] == len(changes))
            process.terminate()
            assert process.ends() == 0
        # More than once only if the group moved a partition meanwhile.
        assert set(receiver.taken()) == set(entries_of(changes))
        in_order(receiver, changes)


def test_a_ledgers_copy_that_redis_loses_is_made_anew(stage: Stage) -> None:
    """Also where it is lost under a process that lives; and of an erased user it keeps nothing."""
    first = [a_change(user_id=f"u{n}", event_id=f"{n:032x}") for n in range(20)]
    again = [a_change(user_id=f"u{n}", event_id=f"{100 + n:032x}", sequence=3) for n in range(10)]
    gone = UserErasedChange(
        event_id="e" * 32, user_id="u15", sequence=3, occurred_at=AT, emitted_at=AT, cause=Cause("signup")
    )
    with WebhookReceiver() as receiver:
        stage.file(receiver.url)
        with stage.triggers("run") as process:
            eventually(lambda: stage.ledger()[0].place)
            process.says("Live: ")
            stage.write(first)
            eventually(lambda: stage.ledger()[2] == 20)
            stage.lose_copy()
            stage.write([*again, gone])
            eventually(lambda: stage.ledger()[2] == 31)
            process.says("the ledger's copy in Redis is not the one that this lane saved last")
        found, counts, _, said = stage.ledger()
        assert counts == {"sent": 20, "skipped: other": 11}
        assert len(said) == len(set(said)) == 20
        assert stage.copy() == {key: value for key, value in found.values.items() if b"/" in key}
        assert not any(b"u15" in key for key in stage.copy())
