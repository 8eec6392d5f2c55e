"""Every command that gets ctrl-C or SIGTERM at a random moment, beside servers that do not answer."""

from __future__ import annotations

import random
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers.interrupts import interrupted

THELOOK = str(Path(__file__).parents[4] / "segue" / "data" / "thelook")
WAREHOUSE = ("--warehouse", THELOOK)
COMMANDS = (
    ("train", *WAREHOUSE, "--current", "none"),
    ("train", *WAREHOUSE, "--current", "none"),
    ("bootstrap", *WAREHOUSE, "--as-of", "2024-12-01"),
    ("ingest", *WAREHOUSE),
    ("publish", "releases/0"),
    ("releases",),
    ("rollback", "0123456789ab"),
    ("worker",),
    ("tail",),
    ("user", "7"),
    ("user", "--all"),
    ("predict", "--age", "34"),
    ("forget", "7"),
    ("dead-letters", "list"),
    ("dead-letters", "retry", "--all"),
    ("verify",),
    ("replay",),
    ("rebuild", "--into", "other:"),
    ("doctor",),
    ("up", "--no-install"),
    ("demo", "--no-install"),
    ("--help",),
)
LATEST_S = 1.0
TRIES = 5


@pytest.fixture(scope="module")
def silent() -> Iterator[dict[str, str]]:
    """A Kafka and a Redis that take connections, and say nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        yield {"SEGUE_KAFKA": where, "SEGUE_REDIS": f"redis://{where}/0"}


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_it_ends_with_one_word_at_any_moment(
    arguments: tuple[str, ...], silent: dict[str, str], tmp_path: Path
) -> None:
    number = random.choice([signal.SIGINT, signal.SIGINT, signal.SIGTERM])
    latest_s = LATEST_S
    for _ in range(TRIES):
        after_s = random.uniform(0, latest_s)
        at_terminal = random.random() < 0.5
        ended = interrupted(tmp_path, arguments, after_s, number, silent, at_terminal=at_terminal)
        if ended is not None:
            ended.check()
            return
        latest_s = after_s  # it had ended by then
    pytest.fail("it always ended before the signal came")
