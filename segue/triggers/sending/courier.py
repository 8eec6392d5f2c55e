"""Brings the webhooks of one trigger to its receiver: in order for each user, repeated until they are taken.

Some threads work through the users. A user's first webhook must end before the second begins; a user who
waits for a repeat keeps no other user waiting.
"""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections import deque
from collections.abc import Callable

import structlog
from msgspec import Struct

from schemas.outputs.segment_change import Change
from segue.triggers.sending.post_webhook import Answer
from segue.triggers.sending.webhook_body import BadBody, Message, Receiver
from segue.triggers.webhook_post import Posted

FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 60.0
# However slow a receiver is, each webhook is tried so often before it is given up.
MIN_TRIES = 5

log = structlog.get_logger("segue.triggers")

PostMessage = Callable[[Message], Answer]


class Job(Struct):
    """A webhook on its way.

    Attributes:
        change: the change that it tells of.
        wanted: whether it may begin.
        done: called with the end, after it has begun.
        tries: how often it was sent.
        began_s: when it was first sent.
        running: whether a request runs now.
        message: what is sent, once it is made.
    """

    change: Change
    wanted: Callable[[], bool]
    done: Callable[[Posted], None]
    tries: int = 0
    began_s: float = 0.0
    running: bool = False
    message: Message | None = None


class Courier:
    """The threads of one trigger.

    Args:
        receiver: makes the messages.
        post: sends one message, and waits for the answer.
        first_pause_s: the pause after the first failure; it doubles.
    """

    def __init__(
        self, receiver: Receiver, post: PostMessage, *, first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._receiver = receiver
        self._post = post
        self._first_pause_s = first_pause_s
        self._give_up_s = receiver.trigger.give_up_after.total_seconds()
        self._gap_s = 1.0 / receiver.trigger.rate
        self._changed = threading.Condition()
        self._lines: dict[str, deque[Job]] = {}
        # The users whose first job may begin, as (seconds, number, user).
        self._due: list[tuple[float, int, str]] = []
        self._number = 0
        self._next_s = 0.0
        self._closed = False
        self._failing = False
        self._losing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{receiver.trigger.name}-{number}", daemon=True)
            for number in range(receiver.trigger.concurrency)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, job: Job) -> None:
        """Take a webhook; it goes out after all that were added for this user before."""
        with self._changed:
            line = self._lines.setdefault(job.change.user_id, deque())
            line.append(job)
            if len(line) == 1:
                self._is_due(job.change.user_id, 0.0)

    def close(self) -> None:
        """Begin no more requests, and return when the running ones have ended."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            self._end(job, self._tried(job))

    def _next(self) -> Job | None:
        """Wait for the next job that may begin; None at the end."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if not self._due:
                    self._changed.wait()
                    continue
                due_s, _, user_id = self._due[0]
                job = self._lines[user_id][0]
                if not job.wanted():
                    heapq.heappop(self._due)
                    self._leave(user_id)
                    continue
                wait_s = max(due_s, self._next_s) - now
                if wait_s > 0:
                    self._changed.wait(min(wait_s, 1.0))  # a job that nobody wants any more leaves soon
                    continue
                heapq.heappop(self._due)
                self._next_s = now + self._gap_s
                job.running = True
                return job
        return None

    def _tried(self, job: Job) -> Answer:
        job.began_s = job.began_s or time.monotonic()
        job.tries += 1
        try:
            job.message = job.message or self._receiver.message(job.change)
            return self._post(job.message)
        except BadBody as error:
            return Answer(taken=False, final=True, reason=str(error))
        except Exception as error:
            log.exception("webhook failed", trigger=self._receiver.trigger.name)
            return Answer(taken=False, reason=f"unexpected {type(error).__name__}")

    def _end(self, job: Job, answer: Answer) -> None:
        """Let the user's next job begin, or this one again later."""
        now = time.monotonic()
        too_late = job.tries >= MIN_TRIES and now - job.began_s >= self._give_up_s
        ended = answer.taken or answer.final or too_late
        with self._changed:
            self._say(answer, ended=ended)
            user_id = job.change.user_id
            if ended:
                self._leave(user_id)
            else:
                if answer.retry_after_s is not None:
                    # The receiver is too busy for any webhook, not only for this one.
                    self._next_s = max(self._next_s, now + answer.retry_after_s)
                self._is_due(user_id, now + self._pause_s(job.tries))
        if ended:
            job.done(Posted() if answer.taken else Posted(f"{answer.reason}; tries: {job.tries}"))
        job.running = False

    def _pause_s(self, tries: int) -> float:
        pause_s = min(self._first_pause_s * 2.0 ** min(tries - 1, 30), MAX_PAUSE_S)
        return random.uniform(pause_s / 2, pause_s)

    def _leave(self, user_id: str) -> None:
        line = self._lines[user_id]
        line.popleft()
        if line:
            self._is_due(user_id, 0.0)
        else:
            del self._lines[user_id]

    def _is_due(self, user_id: str, due_s: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (due_s, self._number, user_id))
        self._changed.notify()

    def _say(self, answer: Answer, *, ended: bool) -> None:
        """Log when a receiver begins to fail, when it works again, and when webhooks become dead letters.

        A final answer says nothing about the next webhook, so it leaves the receiver failing or working. Each
        is logged once, until the receiver takes a webhook.
        """
        name = self._receiver.trigger.name
        if answer.taken:
            if self._failing:
                log.info("receiver works again", trigger=name)
            self._failing = self._losing = False
            return
        if not answer.final and not self._failing:
            self._failing = True
            log.warning("receiver fails", trigger=name, reason=answer.reason)
        if ended and not self._losing:
            self._losing = True
            log.warning("webhooks become dead letters", trigger=name, reason=answer.reason)
