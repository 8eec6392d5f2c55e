"""Walk a few days on real servers with two workers, while workers are killed and Redis is emptied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from tests.campaigns.days.dated_servers import DatedServers
from tests.campaigns.days.shop_days import ONE_DAY, ShopDays, differences
from tests.campaigns.days.walk import Day, Told, WrongDay
from tests.support.servers.deployment import WorkerProcess

DAYS = 6


class _Workers:
    """Two workers, and what befalls them when a day begins."""

    def __init__(self, servers: DatedServers) -> None:
        self._servers = servers
        self._running: list[WorkerProcess] = [self._started(), self._started()]
        # By the number of the day.
        self.faults: dict[int, Callable[[], None]] = {
            1: self.kill_one,
            2: servers.empty_redis,
            3: self.stop_one,
            4: self.kill_both,
        }

    def kill_one(self) -> None:
        self._running.pop(0).kill()
        self._running.append(self._started())

    def kill_both(self) -> None:
        for worker in self._running:
            worker.kill()
        self._servers.empty_redis()
        self._running = [self._started(), self._started()]

    def stop_one(self) -> None:
        """Let the other worker take over, and start a new one."""
        assert self._running.pop(0).stop() == 0
        self._running.append(self._started())

    def _started(self) -> WorkerProcess:
        return self._servers.deployment.worker()


def walk_servers(servers: DatedServers, shop: ShopDays, days: int = DAYS) -> Iterator[Day]:
    """Let the days pass, and yield each day at its end.

    Raises:
        WrongDay: the day is not right.
    """
    deployment, told = servers.deployment, Told()
    servers.set_day(shop.first - ONE_DAY)
    deployment.announce(shop.release)
    deployment.send(shop.before())
    workers = _Workers(servers)
    deployment.caught_up()
    told.check(servers.new_changes(), shop.first - ONE_DAY)
    for number in range(days):
        day = shop.first + timedelta(days=number)
        servers.set_day(day)
        workers.faults.get(number, lambda: None)()
        # A lane that heals is on the day before it has all of its users.
        deployment.caught_up()
        servers.day_decided()
        deployment.send(shop.of(day))
        deployment.caught_up()
        servers.day_decided()  # a lane may have noticed only now that Redis was emptied
        by_time = told.check(servers.new_changes(), day)
        right = shop.right_at_end_of(day)
        if wrong := differences(right, servers.decisions()):
            raise WrongDay(f"{day}: {len(wrong):,} of {len(right):,} users differ; {wrong[0]}")
        moved = sum(change.kind == "moved" for change in by_time)
        yield Day(day, len(shop.of(day)), len(right), 0, len(by_time), moved)
