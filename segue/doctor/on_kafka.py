"""Checks of Kafka: the cluster, the topics, the release in use, the group and its lag."""

from __future__ import annotations

from contextlib import suppress

from confluent_kafka import KafkaException, TopicPartition

from schemas.errors import BadSetting, BadTopics, LoginRefused, NeedsRebuild, SegueError
from schemas.topics import topic_configs
from segue.config.settings import Settings
from segue.connect.group_members import members_of
from segue.connect.live_prefix import followed
from segue.connect.redis_users import TIMEOUT_S, RedisUsers
from segue.connect.release_in_use import read_releases
from segue.doctor.check import FAIL, OK, WARN, Check
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import error_of
from streamer.kafka.topics_admin import check_topics, describe_cluster, inflating
from streamer.place.offset_note import committed
from streamer.place.place import Place
from streamer.segment.active_model import ActiveModel

DEADLINE_S = 5.0
MANY_EVENTS = 10_000
_ANOTHER = "publish a release that can be used"


def check_kafka(settings: Settings) -> tuple[list[Check], int | None, ActiveModel | None]:
    """Run all checks of Kafka.

    Returns:
        The checks, the number of lanes, and the release in use; None for a value that is not known.
    """
    try:
        cluster = describe_cluster(settings.kafka_client, deadline_s=DEADLINE_S)
    except (SegueError, KafkaException) as error:
        return [_unanswered(error, settings)], None, None
    brokers = "1 broker" if cluster.brokers == 1 else f"{cluster.brokers} brokers"
    checks = [Check("kafka", OK, f"{settings.kafka} answers: cluster {cluster.cluster_id}, {brokers}")]
    lanes, topics = _topics(settings)
    model, release = _release(settings)
    checks += [topics, release]
    if lanes is not None:
        checks += [_dead_letters(settings), *_group(settings, lanes)]
    return checks, lanes, model


def _topics(settings: Settings) -> tuple[int | None, Check]:
    client, wanted = settings.kafka_client, topic_configs(settings.topics)
    try:
        found = Admin(client, DEADLINE_S).describe(list(wanted))
        absent = [name for name in wanted if name not in found and name != settings.topics.models]
        if absent:
            text = f"missing: {', '.join(absent)}" if found else f"none of {', '.join(wanted)} is there yet"
            fix = "segue worker or segue bootstrap makes missing topics, or correct the setting topic_prefix"
            return None, Check("topics", FAIL, text, fix)
        lanes = check_topics(client, settings.topics, deadline_s=DEADLINE_S)
        inflating_topics = inflating(client, settings.topics, deadline_s=DEADLINE_S)
    except BadTopics as error:
        return None, Check("topics", FAIL, str(error))
    except (SegueError, KafkaException) as error:
        return None, failed("topics", error)
    if inflating_topics:
        listed = ", ".join(f"{name} ({size:,} bytes)" for name, size in inflating_topics.items())
        fix = "set compression.type=uncompressed for them, or trust every producer (docs/worker.md)"
        text = f"one compressed batch may inflate to a thousand times its size in a worker: {listed}"
        return lanes, Check("topics", WARN, text, fix)
    return lanes, Check("topics", OK, f"{', '.join(settings.topics.laned)}: {lanes} partitions each")


def _release(settings: Settings) -> tuple[ActiveModel | None, Check]:
    try:
        releases = read_releases(settings, DEADLINE_S)
    except (SegueError, KafkaException) as error:
        return None, failed("release", error)
    model, problem = releases.current(), releases.problem()
    if model is None and releases.known_activation() >= 0:
        return None, Check("release", FAIL, f"no release is in use: {problem}", _ANOTHER)
    if model is None:
        fix = "segue train, then segue publish with the folder that it prints"
        return None, Check("release", WARN, f"no release is in use: {problem}", fix)
    release = model.release
    text = f"{release.version}, activation {model.activation}, {len(release.segments)} segments"
    if set(release.exclude_statuses) != set(settings.exclude_statuses):
        excluded = list(release.exclude_statuses)
        ours = list(settings.exclude_statuses)
        fix = f"set exclude_statuses to {excluded} for the workers, or train with {ours}"
        return model, Check("release", FAIL, f"{text}; trained without the statuses {excluded}", fix)
    if problem is not None:
        return model, Check("release", WARN, f"{text}; {problem}", _ANOTHER)
    return model, Check("release", OK, text)


def _dead_letters(settings: Settings) -> Check:
    """Count the dead letters by offsets, transaction markers included: it would take long to read them."""
    name, topic = "dead letters", settings.topics.dead_letters
    try:
        admin = Admin(settings.kafka_client, DEADLINE_S)
        count = kept(admin, topic)
    except (SegueError, KafkaException) as error:
        return failed(name, error)
    if not count:
        return Check(name, OK, f"none on {topic}")
    text = f"at most {count:,} on {topic}, transaction markers included: events that could not be applied"
    return Check(name, WARN, text, "segue dead-letters list tells why")


def _group(settings: Settings, lanes: int) -> list[Check]:
    try:
        members = members_of(settings.kafka_client, settings.group, DEADLINE_S)
    except SegueError as error:
        return [failed("group", error)]
    workers = "1 worker" if members == 1 else f"{members} workers"
    state, fix = (OK, None) if members else (WARN, "start one: segue worker")
    admin, places = Admin(settings.kafka_client, DEADLINE_S), places_of(settings, lanes)
    return [
        Check("group", state, f"{settings.group} has {workers}", fix),
        *(_lag(settings, admin, lane, places.get(lane), members) for lane in range(lanes)),
    ]


def _lag(settings: Settings, admin: Admin, lane: int, place: Place | None, members: int) -> Check:
    name = f"lane {lane}"
    try:
        behind = lags(settings, admin, lane, place)
    except SegueError as error:
        return failed(name, error)
    total = sum(behind.values())
    if not total:
        return Check(name, OK, "no event behind")
    each = ", ".join(f"{topic} {count:,}" for topic, count in behind.items())
    text = f"{total:,} {'event' if total == 1 else 'events'} behind ({each})"
    if members and total <= MANY_EVENTS:
        return Check(name, OK, text)
    return Check(name, WARN, text, "add workers, up to one a lane" if members else "start a worker")


def _unanswered(error: SegueError | KafkaException, settings: Settings) -> Check:
    fix = "start it, or correct the setting kafka"
    if isinstance(error, BadSetting):
        fix = "correct the setting kafka_options (docs/settings.md, Kafka's client)"
    elif isinstance(error, LoginRefused):
        fix = "correct the login in the setting kafka_options (docs/settings.md, Kafka's client)"
    elif "kafka" not in settings.model_fields_set:
        fix = "segue up starts one there, to try Segue with; or name yours by the setting kafka"
    return Check("kafka", FAIL, failed("kafka", error).text, fix)


def failed(name: str, error: SegueError | KafkaException) -> Check:
    """Return the check whose request Kafka did not answer."""
    return Check(name, FAIL, error_of(error).str() if isinstance(error, KafkaException) else str(error))


def kept(admin: Admin, topic: str) -> int:
    """Return how many offsets a topic keeps, transaction markers included."""
    facts = admin.topic(topic)
    found = [admin.bounds(topic, partition, facts.topic_id) for partition in range(facts.partitions)]
    return sum(bounds.end - bounds.begin for bounds in found)


def places_of(settings: Settings, lanes: int) -> dict[int, Place]:
    """Return the lanes' places in Redis, by lane, without those that cannot be read."""
    with suppress(SegueError), RedisUsers(followed(settings, TIMEOUT_S)) as users:
        return {lane: place for lane, place in read_places(users, lanes).items() if place is not None}
    return {}


def read_places(users: RedisUsers, lanes: int) -> dict[int, Place | None]:
    """Return the lanes' places by lane: None for a lane without one, and no entry for one that is unreadable.

    Raises:
        Unreachable: Redis does not answer.
    """
    found = {}
    for lane in range(lanes):
        with suppress(NeedsRebuild):
            found[lane] = users.place(lane)
    return found


def lags(settings: Settings, admin: Admin, lane: int, place: Place | None) -> dict[str, int]:
    """Return the lag of each of a lane's inputs, by topic.

    Args:
        settings: name the topics and the group.
        admin: asks Kafka.
        lane: the lane's number.
        place: the lane's place, read before this call; None if it is not known.

    Raises:
        Unreachable: Kafka does not answer.
    """
    inputs = [TopicPartition(topic, lane) for topic in settings.topics.inputs]
    return {at.topic: lag_of(admin, at, place) for at in admin.committed(settings.group, inputs)}


def lag_of(admin: Admin, at: TopicPartition, place: Place | None = None) -> int:
    """Return the lag in offsets. A committed offset of a deleted topic does not count.

    A lane's place goes past the transaction markers after the last event; the group's offset does not.
    """
    topic_id = admin.topic(at.topic).topic_id
    bounds = admin.bounds(at.topic, at.partition, topic_id)
    stands = at.offset >= 0 and committed(at.offset, at.metadata).topic_id in (None, topic_id)
    reached = at.offset if stands else bounds.begin
    if place is not None and place.topic_ids.get(at.topic) == topic_id:
        reached = max(reached, place.positions.get(at.topic, 0))
    return bounds.end - reached
