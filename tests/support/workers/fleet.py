"""Several recording workers of one group, and the lines that they write."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.group import LeaveGroupRequest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.topics import Topics
from tests.support.servers.services import HANG_S, eventually
from tests.support.servers.topic_admin import create_patiently

_WORKER = Path(__file__).with_name("recording_worker.py")
PARTITIONS = 4
ALL = frozenset(range(PARTITIONS))
SESSION_MS = 3_000


@dataclass(frozen=True, slots=True)
class Line:
    at: float
    worker: str
    what: str
    lanes: list[int]


class Member:
    """The process of one worker."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.process = process
        self._log = log

    def log(self) -> str:
        return self._log.read_text()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self) -> int:
        return self.process.wait(HANG_S)


class Fleet:
    """Workers of one group on one Kafka; the end of the context kills them."""

    def __init__(self, folder: Path, bootstrap: str, prefix: str) -> None:
        self._folder = folder
        self._bootstrap = bootstrap
        self._prefix = prefix
        self.group = f"{prefix}group"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def create_topics(self, **counts: int) -> None:
        """Create the inputs, with four partitions each unless ``counts`` gives another number."""
        topics = Topics(self._prefix)
        named = {topics.signups: counts.get("signups", 4), topics.orders: counts.get("orders", 4)}
        create_patiently(self._bootstrap, [NewTopic(name, n, 1) for name, n in named.items()])

    def fill(self, records: int) -> None:
        """Write so many records to the inputs in turn."""
        topics = Topics(self._prefix)
        producer = Producer({"bootstrap.servers": self._bootstrap})
        for number in range(records):
            producer.produce(topics.inputs[number % 2], b"{}", str(number))
        assert producer.flush(HANG_S) == 0

    def start(self, name: str, **settings: object) -> Member:
        values = {
            "kafka": {"bootstrap.servers": self._bootstrap},
            "partitions": PARTITIONS,
            "topics": self._prefix,
            "group": self.group,
            "session_timeout_ms": SESSION_MS,
            "heartbeat_interval_ms": 500,
            **settings,
        }
        log = self._folder / f"{name}.log"
        command = [sys.executable, str(_WORKER), name, str(self._folder / "lines"), json.dumps(values)]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        self._stack.callback(_end, process)
        return Member(name, process, log)

    async def put_out_all(self) -> None:
        """Remove all members from the group without telling them."""
        client = AIOKafkaClient(bootstrap_servers=self._bootstrap)
        await client.bootstrap()
        try:
            node = await client.coordinator_lookup(CoordinationType.GROUP, self.group)
            admin = AdminClient({"bootstrap.servers": self._bootstrap})
            described = admin.describe_consumer_groups([self.group], request_timeout=HANG_S)[
                self.group
            ].result(HANG_S)
            for member in described.members:
                gone = await client.send(node, LeaveGroupRequest(self.group, member.member_id))
                assert gone.error_code == 0
        finally:
            await client.close()

    def lines(self) -> list[Line]:
        """Return the lines of all workers so far, by time."""
        path = self._folder / "lines"
        text = path.read_text() if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        return sorted((Line(**json.loads(line)) for line in whole.splitlines()), key=lambda line: line.at)

    def lines_of(self, member: Member, *what: str) -> list[Line]:
        return [line for line in self.lines() if line.worker == member.name and line.what in what]

    def owned(self, member: Member) -> frozenset[int]:
        """Return the lanes that the worker holds, from its own lines."""
        held: frozenset[int] = frozenset()
        for line in self.lines_of(member, "own", "closed"):
            held = held | set(line.lanes) if line.what == "own" else held - set(line.lanes)
        return held

    def shared_out(self, *members: Member) -> bool:
        """Return whether exactly one of these workers holds each lane."""
        return sorted(lane for member in members for lane in self.owned(member)) == sorted(ALL)

    def await_shared_out(self, *members: Member) -> None:
        names = [member.name for member in members]
        eventually(lambda: self.shared_out(*members), f"{names} share {sorted(ALL)}")

    def overlaps(self) -> list[str]:
        """Describe each opening of a lane that a worker, even the same worker, still had open."""
        found: list[str] = []
        holder: dict[int, str] = {}
        for line in self.lines():
            for lane in line.lanes:
                if line.what == "own":
                    if lane in holder:
                        found.append(f"lane {lane} opened by {line.worker} while open in {holder[lane]}")
                    holder[lane] = line.worker
                elif line.what == "closed" and holder.get(lane) == line.worker:
                    del holder[lane]
        return found


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
