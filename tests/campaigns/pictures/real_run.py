"""A running Segue on the demo's shop, with a console."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable
from urllib.request import urlopen

from schemas.topics import Topics
from segue.demo.story import AS_OF, WAREHOUSE, bad_events
from segue.services import NoServices, find_services
from tests.support.servers.deployment import Deployment, deployed, trained
from tests.support.servers.segue_process import SegueProcess

_DAY = f"{AS_OF:%Y-%m-%d}"
_RATE = 60
_TRIGGERS = """
[triggers.welcome]
on = "entering"
segment = 2
url = "http://localhost:8099/hooks"
max_age = "36500d"
causes = ["signup", "order", "model"]

[triggers.win_back]
on = "entering"
segment = 0
url = "http://localhost:8099/hooks"
max_age = "36500d"
"""


@dataclass(frozen=True, slots=True)
class RealRun:
    """Where all is that pictures show: a user who moved by an order, and the version that was rehearsed."""

    address: str
    report: Path
    user_id: str
    rehearsed: str


@contextmanager
def real_run(folder: Path) -> Iterator[RealRun]:
    """Give a running Segue while events come in; the end stops all.

    Args:
        folder: an empty folder for the release and the logs.
    """
    with find_services(say=print) as found:
        if isinstance(found, NoServices):
            raise SystemExit(f"pictures need a Kafka and a Redis: {found.reason}")
        made = Deployment(found.kafka.bootstrap, found.redis.url, "", folder)
        with deployed(made) as deployment:
            release = trained(WAREHOUSE, folder / "releases", "--as-of", _DAY)
            deployment.publish(release)
            deployment.segue("bootstrap", "--warehouse", WAREHOUSE, "--as-of", _DAY)
            begun_s = time.monotonic()
            deployment.worker().ready()
            lines = folder / "bad.jsonl"
            lines.write_text("\n".join(_lines(deployment.topics)), encoding="utf-8")
            environment = deployment.environment
            with (
                SegueProcess(folder, "flow", environment=environment),
                SegueProcess(
                    folder, "console", "--port", "0", "--releases", "releases", environment=environment
                ) as console,
            ):
                console.says("The console is at ")
                (address,) = re.findall(r"http://\S+(?=;)", console.err)
                deployment.segue("ingest", lines)
                with urlopen(f"{address}/api/changes?kind=moved") as changes, _sending(deployment):
                    user_id = _who_moved(changes)
                    rehearsed = trained(WAREHOUSE, folder / "releases", "--current", release)
                    _rehearse(deployment, rehearsed, math.floor(time.monotonic() - begun_s))
                    yield RealRun(address, release / "report.html", user_id, rehearsed.name)


def _lines(topics: Topics) -> Iterator[str]:
    """Yield the demo's bad events as lines for `segue ingest`."""
    for event in bad_events(topics):
        name = "signups" if event.topic == topics.signups else "orders"
        text = (event.value or b"").decode()
        value = json.loads(text) if text.startswith("{") else text
        yield json.dumps({"topic": name, "key": (event.key or b"").decode(), "value": value})


@contextmanager
def _sending(deployment: Deployment) -> Iterator[None]:
    """Send the month's events, at a rate at which a reader can follow."""
    words = ["ingest", "--warehouse", str(WAREHOUSE), "--since", _DAY, "--rate", str(_RATE)]
    with Popen([executable, "-m", "segue", *words], env=deployment.environment, stderr=PIPE) as sending:
        try:
            yield
        finally:
            sending.kill()


def _rehearse(deployment: Deployment, release: Path, seconds: int) -> None:
    """Rehearse a release over the last seconds, without publishing it."""
    triggers = release.parent.parent / "triggers.toml"
    triggers.write_text(_TRIGGERS, encoding="utf-8")
    before = ("--warehouse", WAREHOUSE, "--triggers", triggers)
    deployment.segue("publish", release, "--rehearse", f"{seconds}s", "--dry-run", *before, check=False)


def _who_moved(changes: Iterator[bytes]) -> str:
    """Return a user who moved from a segment to another by an order, with all features known."""
    for line in changes:
        if line.startswith(b"data: "):
            change = json.loads(line[6:])
            if change["previous_segment"] is not None and not change["provisional"]:
                return str(change["user_id"])
    raise SystemExit("no user moved: the stream of changes ended")
