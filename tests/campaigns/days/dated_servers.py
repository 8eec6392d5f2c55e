"""Days on a real Kafka and Redis: workers whose clocks have the date that a file names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import redis

from schemas.features import Feature
from schemas.outputs.segment_change import Change
from schemas.outputs.wire import decode_change
from streamer.place.redis_keys import due_score
from tests.campaigns.days.shop_days import Decision
from tests.support.checks.read_records import read_topic, value_of
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S, eventually
from tests.support.workers import dated_worker
from tests.support.workers.dated_worker import DAY_FILE, write_day


class DatedServers:
    """A deployment whose workers are on one day.

    Args:
        bootstrap: the address of Kafka.
        redis_url: the address of Redis.
        prefix: a prefix of topics and keys that no other deployment has.
        folder: an empty folder.
        features: the features of the workers.
        partitions: the number of lanes.
        settings: other settings, as variables.
    """

    def __init__(
        self,
        bootstrap: str,
        redis_url: str,
        prefix: str,
        folder: Path,
        features: Iterable[Feature],
        *,
        partitions: int = 2,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._day_file = folder / "day"
        own = {DAY_FILE: str(self._day_file), **settings_of(features), **(settings or {})}
        program = (str(Path(dated_worker.__file__)),)
        self.deployment = Deployment(bootstrap, redis_url, prefix, folder, partitions, own, program)
        self._read: set[tuple[int, int]] = set()

    def set_day(self, day: date) -> None:
        """Set the date of all clocks."""
        self._day = day
        write_day(self._day_file, day)

    def day_decided(self, deadline_s: float = HANG_S) -> None:
        """Wait until every lane is on the day and has decided all who are due, and all whom a healing lane
        found with another decision than their facts give.
        """
        eventually(self._is_decided, f"every lane has decided {self._day}", deadline_s=deadline_s)

    def left(self) -> int:
        """Return how many users are due and not yet decided."""
        with self.client() as client:
            keys = [f"{self.deployment.redis_prefix}due:{lane}" for lane in self.deployment.lanes]
            return sum(int(client.zcount(key, "-inf", due_score(self._day))) for key in keys)

    def new_changes(self) -> list[Change]:
        """Return the committed changes since the last call, in the order of each lane."""
        found = []
        for record in read_topic(self.deployment.bootstrap, self.deployment.topics.changes):
            at = record.partition(), record.offset()
            if at not in self._read:
                self._read.add(at)
                found.append(decode_change(value_of(record)))
        return found

    def decisions(self) -> dict[str, Decision]:
        """Return every user's decision in Redis."""
        prefix = f"{self.deployment.redis_prefix}user:"
        with self.client() as client:
            keys = list(client.scan_iter(f"{prefix}*", 1_000))
            pipeline = client.pipeline(transaction=False)
            for key in keys:
                pipeline.hmget(key, ["segment", "provisional"])
            return {
                key.decode().removeprefix(prefix): Decision(int(segment), provisional == b"1")
                for key, (segment, provisional) in zip(keys, pipeline.execute(), strict=True)
            }

    def empty_redis(self) -> None:
        """Delete all that Redis holds of the lanes, at once, as FLUSHALL does."""
        with self.client() as client:
            client.unlink(*client.scan_iter(f"{self.deployment.redis_prefix}*", 1_000))

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.deployment.redis_url, socket_timeout=60)

    def _is_decided(self) -> bool:
        places = self.deployment.places()
        found = {(place["day"], place["swept"]) if isinstance(place, dict) else None for place in places}
        return found == {(self._day.isoformat(), True)} and self.left() == 0


def settings_of(features: Iterable[Feature]) -> dict[str, str]:
    """Return the settings that declare these features, as variables."""
    declared = {}
    for feature in features:
        fields: dict[str, object] = {"kind": feature.kind, "source": feature.source, "log": feature.log}
        if feature.window is not None:
            fields["window"] = f"{feature.window}d"
        declared[feature.name] = fields
    return {"SEGUE_DECLARE": json.dumps(declared), "SEGUE_FEATURES": ",".join(declared)}
