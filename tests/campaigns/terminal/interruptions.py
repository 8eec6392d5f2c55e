"""Interrupt every command on real servers, by ctrl-C or SIGTERM at a random moment."""

from __future__ import annotations

import signal
import tempfile
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from random import Random

from segue.services import LocalKafka, LocalRedis
from tests.support.servers.deployment import Deployment, trained
from tests.support.servers.interrupts import Ended, interrupted
from tests.support.servers.services import eventually
from tests.support.worlds.made_up_release import a_release

Say = Callable[[str], None]

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"
_WAREHOUSE = ("--warehouse", str(_THELOOK))
_AS_OF = ("--as-of", "2024-12-01")
_MARK = "CAMPAIGN_OF_SEGUE"  # Segue would reject an unknown variable with its own prefix
_TRIES = 10

_BOOTSTRAP = ("bootstrap", *_WAREHOUSE, *_AS_OF)
_LATEST_S: Mapping[tuple[str, ...], float] = {
    ("demo",): 35,
    ("up",): 10,
    ("train", *_WAREHOUSE, *_AS_OF): 8,
    _BOOTSTRAP: 8,
    ("publish", "{release}", "--force"): 3,
    ("releases",): 1.5,
    ("rollback", "{version}"): 2,
    ("worker",): 8,
    ("ingest", *_WAREHOUSE, "--since", "2024-12-01", "--rate", "500"): 6,
    ("tail", "--from-beginning"): 3,
    ("user", "7"): 1.5,
    ("user", "--all"): 3,
    ("predict", "--age", "34"): 2,
    ("forget", "7", "--wait", "5"): 4,
    ("dead-letters", "list"): 1.5,
    ("dead-letters", "retry", "--all"): 1.5,
    ("verify", *_WAREHOUSE): 5,
    ("replay", *_WAREHOUSE): 5,
    ("rebuild", *_WAREHOUSE, "--into", "other:"): 5,
    ("doctor",): 2,
}
"""The commands, and the latest moment for a signal: about the time that each command takes."""


def interrupt_all(random: Random, rounds: int, say: Say) -> int:
    """Interrupt every command once in each round; return the number of interruptions.

    Raises:
        AssertionError: a command ended wrongly, or left a process behind.
    """
    count = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-interrupted-")))
        kafka = stack.enter_context(LocalKafka())
        store = stack.enter_context(LocalRedis())
        filled = Deployment(kafka.bootstrap, store.url, "filled-", folder)
        release = filled.publish(trained(_THELOOK, folder, *_AS_OF))
        filled.segue(*_BOOTSTRAP)
        words = {"release": str(release), "version": release.name}
        for round_ in range(rounds):
            for command, latest_s in _LATEST_S.items():
                settings = dict(filled.environment)
                if command == _BOOTSTRAP:
                    # A bootstrap needs an unused prefix.
                    fresh = Deployment(kafka.bootstrap, store.url, f"fresh-{uuid.uuid4().hex[:6]}-", folder)
                    fresh.announce(a_release())
                    settings = fresh.environment
                elif command == ("demo",):
                    settings = {}  # the demo starts its own servers
                arguments = tuple(word.format(**words) for word in command)
                ended = _at_some_moment(random, folder, arguments, latest_s, settings)
                count += 1
                say(
                    f"round {round_ + 1}: {' '.join(arguments[:2])} after {ended.after_s:.2f} s: "
                    f"{ended.code}, {ended.took_s:.2f} s later"
                )
    return count


def _at_some_moment(
    random: Random, folder: Path, arguments: tuple[str, ...], latest_s: float, settings: dict[str, str]
) -> Ended:
    mark = uuid.uuid4().hex
    number = random.choice((signal.SIGINT, signal.SIGINT, signal.SIGTERM))
    for _ in range(_TRIES):
        after_s = random.uniform(0, latest_s)
        ended = interrupted(
            folder,
            arguments,
            after_s,
            number,
            {**settings, _MARK: mark},
            at_terminal=random.random() < 0.5,
        )
        if ended is not None:
            ended.check()
            eventually(lambda: not _processes_of(mark), f"{arguments} left processes behind")
            return ended
        latest_s = after_s
    raise AssertionError(f"segue {' '.join(arguments)} ended before every signal")


def _processes_of(mark: str) -> list[int]:
    """Return the living processes that a run started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{_MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:  # the process has ended, or belongs to another user
            continue
    return found
