"""A separate deployment for one test: topics, group, keys, commands and workers."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, cast

from confluent_kafka import Consumer, Producer

from schemas.input_events import Event, Order
from schemas.inputs.decode import encode_order, encode_signup
from schemas.outputs.wire import encode_release
from schemas.partitioner import librdkafka_name
from schemas.release.model_release import ModelRelease
from schemas.topics import MODELS_CURRENT_KEY, Topics
from streamer.kafka.topics_admin import create_topics
from tests.support.checks.check_promises import Expected, Outcome, verify
from tests.support.checks.read_records import read_topic, value_of
from tests.support.servers.redis_cluster import lane_name, opened_redis
from tests.support.servers.services import HANG_S, end_of, eventually
from tests.support.servers.train_quickly import train_quickly

PARTITIONS = 4


def trained(warehouse: Path, folder: Path, *options: object) -> Path:
    """Train a release of this warehouse with the command; return its folder inside ``folder``.

    Without the option ``--current`` the release is a first release. Equal calls train once; each call gets a
    copy.
    """
    made = _trained(warehouse, *options)
    return Path(shutil.copytree(made, folder / made.name, dirs_exist_ok=True))


@cache
def _trained(warehouse: Path, *options: object) -> Path:
    folder = Path(mkdtemp(prefix="segue-releases-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    first = () if "--current" in options else ("--current", "none")
    where = ("--warehouse", warehouse, "--out", folder)
    return train_quickly([*map(str, (*where, "--no-compare", *first, *options))], folder)


@dataclass(slots=True)
class Deployment:
    """The place where Segue runs in a test. ``folder`` holds releases and the workers' logs."""

    bootstrap: str
    redis_url: str
    prefix: str
    folder: Path
    partitions: int = PARTITIONS
    settings: Mapping[str, str] = field(default_factory=dict)
    # Python's arguments that run `segue`.
    program: Sequence[str] = ("-m", "segue")
    _workers: list["WorkerProcess"] = field(default_factory=list)

    @property
    def lanes(self) -> range:
        """The numbers of all lanes."""
        return range(self.partitions)

    @property
    def topics(self) -> Topics:
        return Topics(self.prefix, rekey=self.settings.get("SEGUE_REKEY") == "true")

    @property
    def redis_prefix(self) -> str:
        return f"{self.prefix}:"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "SEGUE_KAFKA": self.bootstrap,
            "SEGUE_REDIS": self.redis_url,
            "SEGUE_TOPIC_PREFIX": self.prefix,
            "SEGUE_GROUP": f"{self.prefix}group",
            "SEGUE_REDIS_PREFIX": self.redis_prefix,
            "SEGUE_PARTITIONS": str(self.partitions),
            "SEGUE_SESSION_TIMEOUT_MS": "6000",
            "SEGUE_HEARTBEAT_INTERVAL_MS": "1000",
            **self.settings,
        }

    def segue(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; with ``check``, fail unless it exits with 0."""
        done = subprocess.run(
            [sys.executable, *self.program, *map(str, arguments)],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"segue {arguments} ended with {done.returncode}:\n{done.stderr}"
        return done

    def publish(self, release: Path) -> Path:
        """Make a release current, even if it moves users; return its folder."""
        self.segue("publish", release, "--force")
        return release

    def announce(self, release: ModelRelease) -> None:
        """Create the topics, and make an untrained release current."""
        client = {"bootstrap.servers": self.bootstrap}
        create_topics(client, self.topics, self.partitions)
        producer = Producer(client)
        for key in (release.version, MODELS_CURRENT_KEY):
            producer.produce(self.topics.models, encode_release(release), key.encode())
        assert producer.flush(HANG_S) == 0

    def worker(self) -> "WorkerProcess":
        """Start a worker; the deployment kills it at the end."""
        started = WorkerProcess(self, len(self._workers))
        self._workers.append(started)
        return started

    def send(self, events: Iterable[Event]) -> int:
        """Produce events as a correct producer does; return their number."""
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "partitioner": librdkafka_name("murmur2"),
                "enable.idempotence": True,
                "linger.ms": 5,
            }
        )
        sent = 0
        for event in events:
            ours = isinstance(event, Order)
            key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
            topic = self.topics.orders if ours else self.topics.signups
            while True:
                try:
                    producer.produce(topic, value, key)
                    break
                except BufferError:
                    producer.poll(0.1)
            sent += 1
            producer.poll(0)
        assert producer.flush(HANG_S) == 0
        return sent

    def caught_up(self, deadline_s: float = HANG_S) -> None:
        """Wait until each lane's place in Redis is at the end of its inputs and past its last decision.

        The ends of the sources are not enough: lanes write re-keyed events later, and a healing lane folds
        its inputs before it adopts the decisions. A topic that lanes write has a transaction marker after
        its last record, so the high watermark is past every place.
        """
        ends = self._ends(self.topics.sources)
        eventually(
            lambda: self._no_place_before(ends), "every lane at the end of its inputs", deadline_s=deadline_s
        )
        for topic in (*self.topics.inputs[2:], self.topics.users):
            last = {
                (message.topic(), message.partition()): message.offset() + 1
                for message in read_topic(self.bootstrap, topic)
            }
            eventually(
                partial(self._no_place_before, last), f"every lane has read {topic}", deadline_s=deadline_s
            )

    def swept(self, deadline_s: float = HANG_S) -> None:
        """Wait until the newest activation has decided every user of every lane."""
        newest = self.activations()[-1][0]

        def everybody() -> bool:
            places = [place for place in self.places() if isinstance(place, dict)]
            assert len(places) == self.partitions
            return all((p["sweep"]["activation"], p["swept"]) == (newest, True) for p in places)

        eventually(everybody, f"activation {newest} has decided everybody", deadline_s=deadline_s)

    def activations(self) -> list[tuple[int, str]]:
        """Return all activations in order: the number, and the version of the release."""
        return [
            (message.offset(), json.loads(value_of(message))["version"])
            for message in read_topic(self.bootstrap, self.topics.models)
            if message.key() == MODELS_CURRENT_KEY.encode() and message.value() is not None
        ]

    def _ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "ends"})
        try:
            return {
                (topic, p): end_of(consumer, topic, p) for topic in topics for p in range(self.partitions)
            }
        finally:
            consumer.close()

    def _no_place_before(self, ends: Mapping[tuple[str, int], int]) -> bool:
        told = [place["positions"] if isinstance(place, dict) else {} for place in self.places()]
        left = {
            (topic, p): end - told[p].get(topic, 0)
            for (topic, p), end in ends.items()
            if told[p].get(topic, 0) < end
        }
        assert left == {}, f"behind by {left}"
        return True

    def verified(self, expected: Mapping[str, Expected], gone: Collection[str] = ()) -> Outcome:
        """Check every user on the topics and in Redis: :func:`tests.support.checks.check_promises.verify`."""
        return verify(self.bootstrap, self.topics, self.redis_url, self.redis_prefix, expected, gone)

    def places(self) -> list[Any]:
        """Return each lane's place in Redis: an object, a text if the lane has another mark, or None."""
        names = [f"{self.redis_prefix}place:{lane_name(self.redis_url, p)}" for p in self.lanes]
        with opened_redis(self.redis_url) as store:
            stored = [cast(bytes | None, store.get(name)) for name in names]
        return [json.loads(place.partition(b" ")[2]) if place else None for place in stored]

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        with opened_redis(self.redis_url) as store:
            for key in store.scan_iter(f"{self.redis_prefix}*", 1_000):
                store.delete(key)


class WorkerEnded(Exception):
    """A worker that should run has ended; a further request is useless."""


class WorkerProcess:
    """A `segue worker` in a separate process; it logs to a file and serves the web on a free port."""

    def __init__(self, deployment: Deployment, number: int) -> None:
        self.log_file = deployment.folder / f"worker-{number}.log"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *deployment.program, "worker"],
                env={**deployment.environment, "SEGUE_WEB_PORT": "0", "SEGUE_LOG_FORMAT": "json"},
                cwd=deployment.folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def ready(self) -> "WorkerProcess":
        """Wait until `/readyz` answers 200."""
        eventually(lambda: self.get("/readyz")[0] == 200, f"ready; {self.log()[-2000:]}")
        return self

    def lanes(self) -> set[int]:
        """Return the lanes that `/status` shows as live."""
        return {lane["partition"] for lane in self.get("/status")[1]["lanes"] if lane["phase"] == "live"}

    def get(self, path: str) -> tuple[int, Any]:
        """Get a page of the web server: status and JSON; 0 and None if the server does not answer yet."""
        ended = self.process.poll()
        if ended is not None:
            raise WorkerEnded(f"the worker ended with {ended}: {self.log()[-3000:]}")
        port = self._port()
        if port is None:
            return 0, None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())
        except OSError:
            return 0, None

    def _port(self) -> int | None:
        for line in self.log().splitlines():
            if '"web.listens"' in line:
                return int(json.loads(line)["port"])
        return None

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(HANG_S)

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""
        self.process.kill()
        self.process.wait(HANG_S)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def deployed(deployment: Deployment) -> Iterator[Deployment]:
    """Yield the deployment; afterwards end its workers and delete its keys."""
    try:
        yield deployment
    finally:
        deployment.close()
