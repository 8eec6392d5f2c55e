"""The processes of the campaign, and the faults that they suffer."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import redis

from segue.services.local.local_kafka import LocalKafka
from segue.services.local.local_redis import LocalRedis
from tests.campaigns.chaos.faults import cut_since, tear, written_to
from tests.support.servers.segue_process import clean_environment

LOADS = "Terminated.\n"

FILE = """
[triggers.enters]
on = "entering"
segment = 1
reentry = "always"
max_age = "100000d"
rate = 100000
concurrency = 12
timeout = "2s"
url = "{url}"

[triggers.leaves]
on = "leaving"
segment = "segment 2"
reentry = "always"
max_age = "100000d"
rate = 100000
concurrency = 12
timeout = "2s"
url = "{url}"

[triggers.once]
on = "entering"
segment = 3
holdout = 0.1
max_age = "100000d"
rate = 100000
concurrency = 12
timeout = "2s"
url = "{url}"
"""


class Sender:
    """A `segue triggers run` that begins again when it is killed."""

    def __init__(self, number: int, folder: Path, environment: dict[str, str]) -> None:
        self._log = folder / f"sender{number}.log"
        self._command = [
            sys.executable,
            "-m",
            "segue",
            "triggers",
            "run",
            "triggers.toml",
            "--from-beginning",
        ]
        self._folder = folder
        self._environment = clean_environment(environment)
        self.start()

    def start(self) -> None:
        """Begin."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it at once."""
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """End it in order; return its exit code."""
        self._process.terminate()
        return self._process.wait(120)

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    @property
    def printed(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-3_000:]


class ReceiverProcess:
    """The receiver, on one port and one file."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}/hooks"
        self.received, self._mood = folder / "received.txt", folder / "mood.txt"
        self._command = [
            sys.executable,
            "-m",
            "tests.campaigns.triggers.receiver",
            str(port),
            str(self.received),
            str(self._mood),
        ]
        self.be("good")
        self.start()

    def be(self, mood: str) -> None:
        """Answer like this from now on."""
        new = self._mood.with_suffix(".new")
        new.write_text(mood)
        new.replace(self._mood)

    def start(self) -> None:
        """Begin."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)

    def kill(self) -> None:
        """Kill it at once."""
        self._process.kill()
        self._process.wait()


def faults(
    kafka: LocalKafka, store: LocalRedis, senders: list[Sender], receiver: ReceiverProcess, rng: Random
) -> dict[str, tuple[Callable[[], None], int]]:
    """Return the kinds of faults with their weights."""

    def kill_sender() -> None:
        sender = rng.choice(senders)
        sender.kill()
        time.sleep(rng.uniform(0.0, 1.0))
        sender.start()

    def stop_sender() -> None:
        sender = rng.choice(senders)
        sender.signal(signal.SIGSTOP)
        time.sleep(rng.uniform(1.0, 9.0))  # beyond its session now and then
        sender.signal(signal.SIGCONT)

    def restart_sender() -> None:
        sender = rng.choice(senders)
        code = sender.end()
        # A sender that still loads ends by the signal, as any command.
        still_loads = code in (-signal.SIGTERM, 128 + signal.SIGTERM) and sender.printed.endswith(LOADS)
        assert code == 0 or still_loads, f"SIGTERM ended a sender with {code}: {sender.printed}"
        sender.start()

    def kill_both() -> None:
        receiver.kill()
        sender = rng.choice(senders)
        sender.kill()
        time.sleep(rng.uniform(0.5, 2.0))
        receiver.start()
        sender.start()

    def mood(name: str) -> Callable[[], None]:
        def change() -> None:
            receiver.be(name)
            time.sleep(rng.uniform(1.0, 4.0))
            receiver.be("good")

        return change

    def kill_receiver() -> None:
        receiver.kill()
        time.sleep(rng.uniform(0.5, 3.0))
        receiver.start()

    def kill_kafka() -> None:
        kafka.kill()
        time.sleep(rng.uniform(0.0, 2.0))
        kafka.start()

    def cut_redis() -> None:
        before = written_to(store)
        store.kill()
        cut_since(before, store, rng)
        store.start()

    def tear_redis() -> None:
        tear(store, rng)

    def empty_redis() -> None:
        with redis.Redis.from_url(store.url) as client:
            client.flushall()

    return {
        "kill -9 of Redis, its AOF's tail cut": (cut_redis, 2),
        "kill -9 of Redis, its AOF cut inside a save, and a restart in peace": (tear_redis, 2),
        "an emptied Redis": (empty_redis, 1),
        "kill -9 of a sender": (kill_sender, 4),
        "SIGSTOP of a sender": (stop_sender, 2),
        "SIGTERM of a sender": (restart_sender, 2),
        "kill -9 of the receiver": (kill_receiver, 2),
        "kill -9 of receiver and sender": (kill_both, 2),
        "kill -9 of Kafka": (kill_kafka, 1),
        **{f"a receiver that answers {name}": (mood(name), 1) for name in ("500", "429")},
        "a receiver that hangs": (mood("hang"), 1),
        "a receiver that answers late": (mood("late"), 1),
        "a receiver that closes early": (mood("close"), 1),
    }
