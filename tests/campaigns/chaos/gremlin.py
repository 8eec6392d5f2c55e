"""Inflict faults one after another, with pauses, in an order that a seed decides."""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random

Say = Callable[[str], None]


def plan(weights: Mapping[str, int], count: int, random: Random) -> list[str]:
    """Draw ``count`` kinds: first each kind once, then from shuffled decks with each kind by its weight."""
    drawn = random.sample([*weights], len(weights))
    rest = Counter(weights) - Counter(drawn)
    while len(drawn) < count:
        deck = [*rest.elements()]
        drawn += random.sample(deck, len(deck))
        rest = Counter(weights)
    return drawn[:count]


class Gremlin:
    """A thread that inflicts ``count`` faults.

    Attributes:
        done: how often each kind was inflicted.
        failure: the error that ended the thread early, or None.
    """

    def __init__(
        self,
        kinds: Mapping[str, tuple[Callable[[], None], int]],
        count: int,
        between_s: tuple[float, float],
        random: Random,
        say: Say,
    ) -> None:
        self.done: Counter[str] = Counter()
        self.failure: str | None = None
        self._kinds = kinds
        self._between_s = between_s
        self._say = say
        self._random = random
        self._stopped = threading.Event()
        self._plan = plan({kind: weight for kind, (_, weight) in kinds.items()}, count, random)
        self._thread = threading.Thread(target=self._run, name="gremlin")

    def start(self) -> None:
        self._thread.start()

    @property
    def active(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        for kind in self._plan:
            if self._stopped.wait(self._random.uniform(*self._between_s)):
                return
            self._say(kind)
            try:
                self._kinds[kind][0]()
            except BaseException:  # noqa: BLE001 - the campaign waits for this thread and reports it
                self.failure = f"{kind}: {traceback.format_exc()}"
                return
            self.done[kind] += 1
