"""Move the states to another prefix, as docs/rebuilding.md tells an operator, under all other faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import redis

from schemas.errors import NeedsRebuild, Unreachable
from tests.campaigns.chaos.commands import PATIENCE_S, Ended, run_command
from tests.campaigns.chaos.faults import Workers
from tests.campaigns.chaos.gremlin import Say
from tests.campaigns.chaos.moving import MovingDeployment
from tests.support.checks.read_records import each_record
from tests.support.servers.redis_cluster import opened_redis
from tests.support.servers.services import eventually

_AGAIN_S = 1.0
_UNREAD = "has committed no offset of"
_MADE_ANEW = "was made anew, and what the topic before it held is not in the log"

# The allowed ends of each step: the exit code, a part of the message, and the step that the message asks for.
_REBUILD, _SWITCH, _DROP, _DONE = "rebuild", "switch", "drop", "done"
_ENDS: dict[str, list[tuple[int, str, str]]] = {
    _REBUILD: [
        (0, "", _SWITCH),
        (5, "", _REBUILD),
        (6, "the log cannot be read to its end", _REBUILD),
        (7, _UNREAD, _REBUILD),
    ],
    _SWITCH: [
        (0, "", _DONE),
        (5, "", _SWITCH),
        (7, "a lane has no place under", _REBUILD),
        (7, "a rebuild of this Redis prefix did not end", _REBUILD),
        (9, "run the same again", _SWITCH),
    ],
    _DROP: [(0, "", _DONE), (5, "", _DROP)],
}


class Rebuilds:
    """Rebuild into a fresh prefix, with or without running workers; kill about half of the commands once.

    Args:
        warehouse: the warehouse of the bootstrap, if there was one.
    """

    def __init__(
        self,
        deployment: MovingDeployment,
        workers: Workers,
        random: Random,
        say: Say,
        warehouse: Path | None = None,
    ) -> None:
        self._deployment = deployment
        self._workers = workers
        self._random = random
        self._say = say
        self._warehouse = warehouse
        self._is_refused = False
        self._lock = threading.Lock()
        self.kinds: dict[str, tuple[Callable[[], None], int]] = {
            "a rebuild into another prefix, the switch, and the old states dropped": (self.rebuild, 1)
        }

    def rebuild(self) -> None:
        """Fill the next prefix, move the lanes, start workers under it, and delete the old prefix."""
        with self._lock:
            if self._is_refused:
                self._refused()
            else:
                self._move()

    @contextmanager
    def none(self) -> Iterator[None]:
        """Let no rebuild run during the context."""
        with self._lock:
            yield

    def none_from_now_on(self) -> None:
        """Expect each further rebuild to be refused, because the log is no longer complete."""
        self._is_refused = True

    def rebuild_if_asked(self) -> None:
        """Move the states if a worker ended and asked for a rebuild, unless a rebuild runs."""
        if self._workers.ask_for_rebuild() and self._lock.acquire(blocking=False):
            try:
                if self._workers.ask_for_rebuild():
                    self._say("a worker asks for a rebuild")
                    self._move()
            finally:
                self._lock.release()

    def _move(self) -> None:
        deployment = self._deployment
        old, into = deployment.redis_prefix, deployment.prefix_after(deployment.moves + 1)
        self._until_done(_REBUILD, into)
        deployment.moves += 1
        self._workers.renew()
        self._until_done(_DROP, old)
        eventually(lambda: self._is_dropped(old), f"nothing lies under {old}", every_s=_AGAIN_S)

    def _refused(self) -> None:
        """Check that a rebuild is refused with the reason, and that it stands until it is dropped."""
        into = self._deployment.prefix_after(self._deployment.moves + 1)

        def refused() -> Ended | None:
            """Return the refusal once Kafka and Redis answer and the lanes have read the new topic.

            Nobody commits an offset in a lane whose new topic stays empty.
            """
            ended = run_command(self._deployment, "rebuild", "--into", into)
            unread = _UNREAD in ended.told and not self._is_an_input_empty()
            return None if unread or ended.code == Unreachable.exit_code else ended

        ended = eventually(refused, "a rebuild is refused", deadline_s=PATIENCE_S, every_s=_AGAIN_S)
        assert ended is not None
        assert ended.code == NeedsRebuild.exit_code, ended
        assert _MADE_ANEW in ended.told or _UNREAD in ended.told, ended
        self._left_is_named(into)
        self._until_done(_DROP, into)

    def _is_an_input_empty(self) -> bool:
        deployment = self._deployment
        return any(
            next(each_record(deployment.bootstrap, topic, [lane]), None) is None
            for topic in deployment.topics.sources
            for lane in deployment.lanes
        )

    def _until_done(self, step: str, into: str) -> None:
        """Run a step, then each step that the message asks for, until all is done."""
        end_s = time.monotonic() + PATIENCE_S
        tried: set[str] = set()
        while step != _DONE:
            kills = step not in tried and self._random.random() < 0.5
            tried.add(step)
            ended = self._command(step, into, kills=kills)
            if ended.code is None:
                self._say(f"the {step} was killed")
                self._left_is_named(into)
                continue
            step = _next_step(step, ended)
            assert time.monotonic() < end_s, f"no end of rebuilding into {into}: {ended}"
            if ended.code:
                time.sleep(_AGAIN_S)

    def _command(self, step: str, into: str, *, kills: bool) -> Ended:
        options: list[object] = ["rebuild", "--into", into]
        if step != _REBUILD:
            options.append(f"--{step}")
        elif self._warehouse is not None:
            options += ["--warehouse", self._warehouse]
        return run_command(self._deployment, *options, kill=self._random if kills else None)

    def _left_is_named(self, into: str) -> None:
        """Check that `segue doctor` names the standing rebuild, unless Redis has lost it."""

        def named() -> bool:
            found = self._deployment.segue("doctor", "--json", check=False)
            return f"a rebuild into {into} was begun" in found.stdout or not self._stands(into)

        eventually(named, f"doctor names the rebuild into {into}", deadline_s=PATIENCE_S, every_s=_AGAIN_S)

    def _stands(self, into: str) -> bool:
        """Return whether the lanes' prefix names the rebuild."""
        try:
            with opened_redis(self._deployment.redis_url) as client:
                return bool(client.get(f"{self._deployment.redis_prefix}rebuild") == into.encode())
        except redis.RedisError:
            return True  # without an answer, assume that the rebuild stands

    def _is_dropped(self, prefix: str) -> bool:
        """Delete the prefix; return whether it is empty. A Redis that went back may have restored it."""
        kinds = ("user", "angles", "swept", "place", "saves")
        try:
            with opened_redis(self._deployment.redis_url) as client:
                left = [key for kind in kinds for key in client.scan_iter(f"{prefix}{kind}:*", 10_000)]
        except redis.RedisError:
            return False
        if left:
            self._until_done(_DROP, prefix)
        return not left


def _next_step(step: str, ended: Ended) -> str:
    for code, words, following in _ENDS[step]:
        if ended.code == code and words in ended.told:
            return following
    raise AssertionError(f"the {step} ended with {ended.code}: {ended.told[-3_000:]}")
