"""Whether a worker could take each lane over: the lane's place, judged as the worker judges it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing

from confluent_kafka import KafkaException, TopicPartition
from msgspec import Struct

from schemas.errors import NeedsRebuild, SegueError
from segue.config.settings import Settings
from segue.connect.lane_connections import lane_config, open_log, open_store
from segue.connect.release_in_use import read_releases
from segue.doctor.check import FAIL, OK, WARN, Check
from streamer.interfaces.lane_errors import Torn
from streamer.interfaces.lane_interfaces import Bounds, Committed
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import error_of
from streamer.place import place as places
from streamer.place.offset_note import committed
from streamer.place.place import FoldSettings
from streamer.place.place_marks import is_emptied
from streamer.takeover.lane_snapshot import follow_lane
from streamer.takeover.read_stretch import holds_records
from streamer.takeover.starting_point import starting_point

MADE_BY_A_WORKER = "a worker makes it"
_DEADLINE_S = 5.0
REPAIR = "repair the append-only file before Redis starts after a crash (docs/redis.md)"


class LaneFacts(Struct, frozen=True):
    """What a takeover would find.

    Attributes:
        stored: the place as Redis has it.
        torn: what is wrong with all that Redis holds of the lane; then the place counts for nothing.
        inputs: the bounds of the lane's partition, by input topic.
        users_empty: asks whether the lane's partition of ``users_topic`` holds no record.
        bootstrapped: whether a ``bootstrap`` record stands.
    """

    stored: bytes | None
    torn: Torn | None
    committed: Mapping[str, Committed]
    inputs: Mapping[str, Bounds]
    users_topic: str
    users: Bounds
    settings: FoldSettings
    users_empty: Callable[[], bool]
    bootstrapped: bool


def check_places(settings: Settings, lanes: int) -> list[Check]:
    """One line a lane."""
    try:
        bootstrapped = _bootstrapped(settings)
        admin = Admin(settings.kafka_client, _DEADLINE_S)
    except SegueError as error:
        return [Check("places", FAIL, str(error))]
    return [_place(settings, admin, lane, lanes, bootstrapped) for lane in range(lanes)]


def judged(lane: int, facts: LaneFacts) -> Check:
    """What a worker would make of these facts.

    Raises:
        NeedsRebuild: it would refuse them.
    """
    name = f"place {lane}"
    void = facts.torn is not None or is_emptied(facts.stored)
    place = None if facts.stored is None or void else places.decode(facts.stored)
    starting_point(
        place,
        facts.committed,
        facts.inputs,
        facts.users_topic,
        facts.users,
        facts.settings,
        users_empty=facts.users_empty,
        bootstrapped=facts.bootstrapped,
    )
    if facts.torn is not None:
        return Check(name, WARN, str(facts.torn), f"a worker folds the lane again; {REPAIR}")
    if place is None:
        return Check(name, WARN, "the lane has no place in Redis", MADE_BY_A_WORKER)
    topics = {**facts.inputs, facts.users_topic: facts.users}
    if not topics.keys() <= place.topic_ids.keys():
        text = f"the place in Redis is of {', '.join(sorted(place.topic_ids))}; the lane's topics are {', '.join(topics)}"
        fix = "set topic_prefix, or redis_prefix: a worker would read these topics into the states of the others"
        return Check(name, WARN, text, fix)
    anew = [topic for topic, bounds in topics.items() if place.topic_ids[topic] != bounds.topic_id]
    if anew:
        text = f"{', '.join(anew)} was made anew since Redis came to its place"
        return Check(name, WARN, text, "a worker reads the new topic from its beginning")
    reached = (f"{topic}@{place.positions[topic]}" for topic in facts.inputs)
    return Check(name, OK, f"Redis has come to {', '.join(reached)}")


def _place(settings: Settings, admin: Admin, lane: int, lanes: int, bootstrapped: bool) -> Check:
    try:
        try:
            return judged(lane, _facts(settings, admin, lane, lanes, bootstrapped))
        except NeedsRebuild:
            # Read one after the other, the facts may be of two moments, where a worker began between them.
            return judged(lane, _facts(settings, admin, lane, lanes, bootstrapped))
    except SegueError as error:
        return Check(f"place {lane}", FAIL, str(error))
    except KafkaException as error:
        return Check(f"place {lane}", FAIL, error_of(error).str())


def _facts(settings: Settings, admin: Admin, lane: int, lanes: int, bootstrapped: bool) -> LaneFacts:
    topics = settings.topics

    def bounds(topic: str) -> Bounds:
        return admin.bounds(topic, lane, admin.topic(topic).topic_id)

    def users_empty() -> bool:
        with closing(open_log(settings, lane)) as log:
            return not holds_records(log, topics.users)

    # In the order of a takeover: a place is never beyond bounds that are asked for after it.
    offsets = _committed(settings, admin, lane)
    with closing(open_store(settings, lane)) as store:
        stored, torn = follow_lane(store)
    return LaneFacts(
        stored=stored,
        torn=torn,
        committed=offsets,
        inputs={topic: bounds(topic) for topic in topics.inputs},
        users_topic=topics.users,
        users=bounds(topics.users),
        settings=lane_config(settings, lanes).settings,
        users_empty=users_empty,
        bootstrapped=bootstrapped,
    )


def _committed(settings: Settings, admin: Admin, lane: int) -> dict[str, Committed]:
    where = [TopicPartition(topic, lane) for topic in settings.topics.inputs]
    told = admin.committed(settings.group, where)
    return {at.topic: committed(at.offset, at.metadata) for at in told if at.offset >= 0}


def _bootstrapped(settings: Settings) -> bool:
    return read_releases(settings, _DEADLINE_S).bootstrap_standing() is not None
