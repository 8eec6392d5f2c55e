"""What Kafka says: the cluster, the topics, the release in use, the group and how far it lags."""

from __future__ import annotations

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from schemas.errors import BadRelease, BadTopics, SegueError, Unreachable
from schemas.topics import topic_configs
from segue.doctor.check import FAIL, OK, WARN, Check
from segue.groups import members_of
from segue.release import current_model
from segue.settings import Settings
from streamer.kafka_admin import Admin
from streamer.model import ActiveModel
from streamer.topics_admin import check_topics, describe_cluster

_DEADLINE_S = 5.0
_MANY_EVENTS = 10_000


def check_kafka(settings: Settings) -> tuple[list[Check], int | None, ActiveModel | None]:
    """All checks of Kafka, with the number of lanes and the release in use, where they are known."""
    try:
        cluster = describe_cluster(settings.kafka_client, deadline_s=_DEADLINE_S)
    except SegueError as error:
        return [Check("kafka", FAIL, str(error))], None, None
    brokers = "1 broker" if cluster.brokers == 1 else f"{cluster.brokers} brokers"
    checks = [Check("kafka", OK, f"{settings.kafka} answers: cluster {cluster.cluster_id}, {brokers}")]
    lanes = _topics(settings, checks)
    model = _release(settings, checks)
    if lanes is not None:
        _group(settings, lanes, checks)
    return checks, lanes, model


def _topics(settings: Settings, checks: list[Check]) -> int | None:
    try:
        lanes = check_topics(settings.kafka_client, settings.topics, deadline_s=_DEADLINE_S)
    except BadTopics as error:
        names = ", ".join(topic_configs(settings.topics))
        checks.append(Check("topics", FAIL, str(error), f"the topics are {names}; `segue worker` makes them"))
        return None
    except Unreachable as error:
        checks.append(Check("topics", FAIL, str(error)))
        return None
    checks.append(Check("topics", OK, f"{', '.join(settings.topics.laned)}: {lanes} partitions each"))
    return lanes


def _release(settings: Settings, checks: list[Check]) -> ActiveModel | None:
    try:
        model = current_model(settings)
    except BadRelease as error:
        checks.append(Check("release", WARN, str(error), "segue train, then segue publish"))
        return None
    except SegueError as error:
        checks.append(Check("release", FAIL, str(error)))
        return None
    release = model.release
    text = f"{release.version}, activation {model.activation}, {len(release.segments)} segments"
    if set(release.exclude_statuses) != set(settings.exclude_statuses):
        fix = f"workers need exclude_statuses = {list(release.exclude_statuses)}, or train with the setting"
        checks.append(Check("release", FAIL, f"{text}; it excludes {list(release.exclude_statuses)}", fix))
        return model
    checks.append(Check("release", OK, text))
    return model


def _group(settings: Settings, lanes: int, checks: list[Check]) -> None:
    try:
        members = members_of(settings.kafka_client, settings.group, _DEADLINE_S)
    except SegueError as error:
        checks.append(Check("group", FAIL, str(error)))
        return
    workers = "1 worker" if members == 1 else f"{members} workers"
    state, fix = (OK, None) if members else (WARN, "start one: segue worker")
    checks.append(Check("group", state, f"{settings.group} has {workers}", fix))
    admin = Admin(settings.kafka_client, _DEADLINE_S)
    checks.extend(_lag(settings, admin, lane, members) for lane in range(lanes))


def _lag(settings: Settings, admin: Admin, lane: int, members: int) -> Check:
    places = [TopicPartition(topic, lane) for topic in settings.topics.inputs]
    request = ConsumerGroupTopicPartitions(settings.group, places)
    asked = admin.kafka.list_consumer_group_offsets([request], request_timeout=_DEADLINE_S)
    committed = admin.answer(asked[settings.group], "tell the group's offsets").topic_partitions
    behind = {place.topic: _behind(admin, place) for place in committed}
    total = sum(behind.values())
    each = ", ".join(f"{topic} {count:,}" for topic, count in behind.items())
    late = total > (_MANY_EVENTS if members else 0)
    fix = "add workers, up to one a lane" if members else "start a worker"
    return Check(
        f"lane {lane}",
        WARN if late else OK,
        f"{total:,} events behind ({each})" if total else "no event behind",
        fix if late else None,
    )


def _behind(admin: Admin, place: TopicPartition) -> int:
    """How many offsets lie ahead; one committed for a topic that was made anew since is void."""
    topic_id = admin.topic(place.topic).topic_id
    bounds = admin.bounds(place.topic, place.partition, topic_id)
    stands = place.offset >= 0 and place.metadata in (None, "", topic_id)
    return bounds.end - (place.offset if stands else bounds.begin)
