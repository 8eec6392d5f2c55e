"""Check whether a worker could take over each lane; the rules are the worker's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime

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
from streamer.segment.lane_day import date_of
from streamer.takeover.lane_snapshot import follow_lane
from streamer.takeover.read_stretch import holds_records
from streamer.takeover.starting_point import starting_point

MADE_BY_A_WORKER = "a worker makes it"
_DEADLINE_S = 5.0
REPAIR = "repair the append-only file before Redis starts after a crash (docs/redis.md)"


class LaneFacts(Struct, frozen=True):
    """The facts that a takeover would find.

    Attributes:
        stored: the bytes of the place in Redis.
        torn: why the lane's data in Redis cannot be used, so that the place does not count; None if it can.
        committed: the group's offsets, by input topic.
        inputs: the bounds of the lane's partition, by input topic.
        users_topic: the name of the topic ``user-segments``.
        users: the bounds of the lane's partition of ``users_topic``.
        settings: the settings that the states depend on.
        prefix: the prefix in Redis under which the place was looked for.
        users_empty: returns whether the lane's partition of ``users_topic`` holds no record.
        bootstrapped: whether a bootstrap is in force.
        today: the date of the clock, in the zone of the settings; None if no declared feature reads it.
    """

    stored: bytes | None
    torn: Torn | None
    committed: Mapping[str, Committed]
    inputs: Mapping[str, Bounds]
    users_topic: str
    users: Bounds
    settings: FoldSettings
    prefix: str
    users_empty: Callable[[], bool]
    bootstrapped: bool
    today: date | None


def check_places(settings: Settings, lanes: int, only: Sequence[int] | None = None) -> list[Check]:
    """Return one check for each lane.

    Args:
        settings: Kafka, Redis, the topics and the group.
        lanes: the number of lanes.
        only: the lanes to check; None for all.
    """
    try:
        bootstrapped = _bootstrapped(settings)
        admin = Admin(settings.kafka_client, _DEADLINE_S)
    except SegueError as error:
        return [Check("places", FAIL, str(error))]
    checked = range(lanes) if only is None else only
    return [_place(settings, admin, lane, lanes, bootstrapped) for lane in checked]


def refused_lanes(settings: Settings, lanes: int, only: Sequence[int]) -> dict[int, str]:
    """Return why a worker would not take over a lane, by lane; a lane that it would take is left out.

    Args:
        settings, lanes, only: as in :func:`check_places`.
    """
    checks = {check.name: check for check in check_places(settings, lanes, only)}
    found = {lane: checks.get(_name(lane)) for lane in only}
    return {lane: check.text for lane, check in found.items() if check is not None and check.state == FAIL}


def _name(lane: int) -> str:
    return f"place {lane}"


def judged(lane: int, facts: LaneFacts) -> Check:
    """Return a lane's check: what a worker would do with these facts.

    Raises:
        NeedsRebuild: a worker would refuse to take over the lane.
    """
    name = _name(lane)
    void = facts.torn is not None or is_emptied(facts.stored)
    place = None if facts.stored is None or void else places.decode(facts.stored)
    starting_point(
        place,
        facts.committed,
        facts.inputs,
        facts.users_topic,
        facts.users,
        facts.settings,
        facts.prefix,
        users_empty=facts.users_empty,
        bootstrapped=facts.bootstrapped,
    )
    if facts.torn is not None:
        return Check(name, WARN, str(facts.torn), f"a worker folds the lane again; {REPAIR}")
    if place is None:
        text = f"the lane has no place in Redis under the prefix {facts.prefix!r}"
        return Check(name, WARN, text, MADE_BY_A_WORKER)
    topics = {**facts.inputs, facts.users_topic: facts.users}
    if not topics.keys() <= place.topic_ids.keys():
        text = (
            f"the place in Redis belongs to {', '.join(sorted(place.topic_ids))}; the lane's topics are"
            f" {', '.join(topics)}"
        )
        fix = "set topic_prefix or redis_prefix: a worker would add these topics to states of other topics"
        return Check(name, WARN, text, fix)
    remade = [topic for topic, bounds in topics.items() if place.topic_ids[topic] != bounds.topic_id]
    if remade:
        text = f"{', '.join(remade)} was made anew since Redis came to its place"
        return Check(name, WARN, text, "a worker reads the new topic from its beginning")
    reached = (f"{topic}@{place.positions[topic]}" for topic in facts.inputs)
    text = f"Redis has come to {', '.join(reached)}"
    return _day(name, text, place.decides_on, facts.today) or Check(name, OK, text)


def _day(name: str, text: str, day: date | None, today: date | None) -> Check | None:
    """Return the warning that a lane decides on another day than today; None if it does not.

    One day more or less is no warning: a day may just begin, and clocks differ.
    """
    apart = 0 if day is None or today is None else (today - day).days
    if apart > 1:
        fix = "start a worker, which decides who is due, or set its clock"
        return Check(name, WARN, f"{text}, and decides on {day}, {apart} days behind", fix)
    if apart < -1:
        fix = "set the workers' clocks: the lane keeps its day until the date comes to it"
        return Check(name, WARN, f"{text}, and decides on {day}, {-apart} days ahead", fix)
    return None


def _place(settings: Settings, admin: Admin, lane: int, lanes: int, bootstrapped: bool) -> Check:
    try:
        try:
            return judged(lane, _facts(settings, admin, lane, lanes, bootstrapped))
        except NeedsRebuild:
            # A worker may have started between two reads, so the facts may not fit together: read them again.
            return judged(lane, _facts(settings, admin, lane, lanes, bootstrapped))
    except SegueError as error:
        return Check(_name(lane), FAIL, str(error))
    except KafkaException as error:
        return Check(_name(lane), FAIL, error_of(error).str())


def _facts(settings: Settings, admin: Admin, lane: int, lanes: int, bootstrapped: bool) -> LaneFacts:
    topics = settings.topics

    def bounds(topic: str) -> Bounds:
        return admin.bounds(topic, lane, admin.topic(topic).topic_id)

    def users_empty() -> bool:
        with closing(open_log(settings, lane)) as log:
            return not holds_records(log, topics.users)

    config = lane_config(settings, lanes)
    # The order of a takeover: a place never lies beyond bounds that are read after it.
    offsets = _committed(settings, admin, lane)
    with closing(open_store(settings, lane)) as store:
        stored, torn = follow_lane(store)
        prefix = store.prefix
    return LaneFacts(
        stored=stored,
        torn=torn,
        committed=offsets,
        inputs={topic: bounds(topic) for topic in topics.inputs},
        users_topic=topics.users,
        users=bounds(topics.users),
        settings=config.settings,
        prefix=prefix,
        users_empty=users_empty,
        bootstrapped=bootstrapped,
        today=date_of(config.rules, datetime.now(UTC)),
    )


def _committed(settings: Settings, admin: Admin, lane: int) -> dict[str, Committed]:
    where = [TopicPartition(topic, lane) for topic in settings.topics.inputs]
    found = admin.committed(settings.group, where)
    return {at.topic: committed(at.offset, at.metadata) for at in found if at.offset >= 0}


def _bootstrapped(settings: Settings) -> bool:
    return read_releases(settings, _DEADLINE_S).bootstrap_standing() is not None
