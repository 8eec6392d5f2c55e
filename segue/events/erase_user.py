"""Erases a user. An erasure is an event, so Kafka keeps its order among the user's other events."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from confluent_kafka import Message
from tenacity import RetryCallState, Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from schemas import times
from schemas.errors import BadEvent, SegueError
from schemas.input_events import UserErased
from schemas.inputs import field_checks
from schemas.inputs.decode import encode_signup
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, lanes_of, patiently
from segue.connect.live_prefix import followed
from segue.connect.redis_users import RedisUsers
from segue.events.send_events import Outgoing, Sender
from streamer.kafka.kafka_admin import Admin
from streamer.place.place import Place

_LOOK_S = 0.1


class NotApplied(SegueError):
    """The erasure is in the log, and no worker has applied it in time."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure in the log.

    Attributes:
        user_id: the user.
        erased_at: facts up to this time do not count.
        topic: the signups' topic.
        topic_id: the topic's id. A topic that is deleted and created again has another id.
        partition: the record's partition.
        offset: the record's offset.
    """

    user_id: str
    erased_at: datetime
    topic: str
    topic_id: str
    partition: int
    offset: int

    def is_before(self, place: Place) -> bool:
        """Return whether a lane with this place has applied the erasure."""
        return (
            place.topic_ids.get(self.topic) == self.topic_id
            and place.positions.get(self.topic, 0) > self.offset
        )

    def as_json(self) -> dict[str, object]:
        """Return the fields for programs."""
        return {
            "user_id": self.user_id,
            "erased_at": times.text(self.erased_at),
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
        }


def erase(settings: Settings, user_id: str, erased_at: datetime) -> Erasure:
    """Send the event that erases a user. The user may be unknown, and a second erasure does no harm.

    Args:
        settings: name the Kafka and the topics.
        user_id: the user.
        erased_at: facts up to this time do not count.

    Returns:
        The erasure, with its position in the log.

    Raises:
        BadUsage: the id cannot be a user's id.
        BadTopics: the topics do not fit together, or a topic is missing.
        NotDelivered: Kafka refuses the event.
        Unreachable: Kafka does not answer.
    """
    try:
        checked = field_checks.required_id({"ID": user_id}, "ID")
    except BadEvent as error:
        raise BadUsage(f"the user's id cannot be used: {error.problem}") from None
    topic, client = settings.topics.signups, settings.kafka_client
    lanes_of(settings)
    topic_id = patiently(settings, lambda: Admin(client, DEADLINE_S).topic(topic).topic_id)
    taken: list[Message] = []
    key, value = encode_signup(UserErased(checked, erased_at))
    sender = Sender(client, settings.partitioner, delivered=lambda _event, message: taken.append(message))
    sender.send([Outgoing(topic, key, value, f"user {checked}'s erasure")])
    partition, offset = taken[0].partition(), taken[0].offset()
    assert partition is not None
    assert offset is not None
    return Erasure(checked, erased_at, topic, topic_id, partition, offset)


def is_unknown(settings: Settings, user_id: str) -> bool:
    """Return whether Redis answers and has never seen a user of this id, not even in an erasure."""
    with suppress(SegueError), RedisUsers(followed(settings)) as users:
        return not users.state(user_id).known
    return False


def wait_until_applied(settings: Settings, erasure: Erasure, deadline_s: float) -> bool:
    """Wait until the user's lane has applied an erasure.

    Args:
        settings: name the Redis and the prefix.
        erasure: the erasure that was sent.
        deadline_s: seconds to wait.

    Returns:
        Whether the user is gone; False if facts after the erasure have brought the user back.

    Raises:
        NotApplied: the lane has not applied the erasure in time.
        Unreachable: Redis does not answer.
    """

    def is_applied(place: Place | None) -> bool:
        return place is not None and erasure.is_before(place)

    def give_up(_: RetryCallState) -> NoReturn:
        raise NotApplied(
            f"the erasure of user {erasure.user_id!r} lies in {erasure.topic}, partition {erasure.partition},"
            f" offset {erasure.offset}, but no worker has applied it within {deadline_s:g} s: check that a"
            " worker runs, and check its lag (segue doctor)"
        )

    looking = Retrying(
        retry=retry_if_not_result(is_applied),
        stop=stop_after_delay(deadline_s),
        wait=wait_fixed(_LOOK_S),
        retry_error_callback=give_up,
    )
    with RedisUsers(followed(settings)) as users:
        looking(users.place, erasure.partition)
        return users.card(erasure.user_id) is None
