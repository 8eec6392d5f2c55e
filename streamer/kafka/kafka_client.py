"""The shared parts of all Kafka clients: settings, deadlines, retries, and errors in one sentence."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException
from msgspec import Struct

from schemas.errors import BadClientOptions, LoginRefused, Unreachable

Answer = TypeVar("Answer")
Client = TypeVar("Client")
Config = dict[str, Any]

log = structlog.get_logger("segue.connect.kafka_access")

# librdkafka names its own errors with an underscore.
_ALL_BROKERS_DOWN = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001
_SILENT = frozenset(
    {
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError.REQUEST_TIMED_OUT,
    }
)
# These errors pass by themselves: a broker restarts or has just started, or its metadata lags.
_PASSING = _SILENT | {
    _ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
    KafkaError._WAIT_COORD,  # noqa: SLF001
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.CONCURRENT_TRANSACTIONS,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.LISTENER_NOT_FOUND,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.NOT_CONTROLLER,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.THROTTLING_QUOTA_EXCEEDED,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNSTABLE_OFFSET_COMMIT,
}
# Waiting does not help: the login is wrong, or it lacks a right.
_UNREADABLE = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)
_REFUSED = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
_UNKNOWN = frozenset(
    {
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNKNOWN_TOPIC_ID,
    }
)
# Another producer with our transactional id was started, or the coordinator acts as if this had happened.
_FENCED = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
    }
)


_TO_BECOME = re.compile(r"^Failed to create [\w ]+: ")
_LATELY_S = 60.0
_RETRY_S = 0.1


class Deadlines(Struct, frozen=True):
    """How long to wait for Kafka.

    Attributes:
        request_s: for one answer.
        fence_s: for a producer to start; this also ends the former producer's transaction.
        commit_s: for a transaction.
        abort_s: for the abort of a failed transaction.
        check_s: the interval at which a reader checks that its topics are still the same topics.
        silence_s: a reader without a record of a topic for this time checks that there is none.
        outage_s: without an answer for this time, Kafka counts as unreachable.
        transaction_ms: after this time, the broker ends the transaction of a producer that died.
    """

    request_s: float = 10.0
    fence_s: float = 60.0
    commit_s: float = 30.0
    abort_s: float = 5.0
    check_s: float = 5.0
    silence_s: float = 30.0
    outage_s: float = 30.0
    transaction_ms: int = 60_000


class Reports:
    """The last connection error of a client, for messages: a timeout alone does not show the reason."""

    __slots__ = ("_said", "_said_s")

    def __init__(self) -> None:
        self._said: KafkaError | None = None
        self._said_s = 0.0

    @property
    def last(self) -> str | None:
        """The newest error; None if it is too old to be the reason of a present failure."""
        return None if (error := self._lately()) is None else error.str()

    @property
    def refused(self) -> bool:
        """Whether the newest error is a refused login."""
        return (error := self._lately()) is not None and error.code() in _REFUSED

    def _lately(self) -> KafkaError | None:
        return self._said if time.monotonic() - self._said_s < _LATELY_S else None

    def __call__(self, error: KafkaError) -> None:
        """Keep an error of the connection: the ``error_cb`` of librdkafka."""
        # This error follows each failed connection and would hide the error with the reason.
        if error.code() != _ALL_BROKERS_DOWN:
            self._said, self._said_s = error, time.monotonic()

    def log(self, level: int, text: str, *args: object) -> None:
        """Log a line of librdkafka's own log at debug level; important lines also come as errors."""
        log.debug("librdkafka", text=text % args, level_number=level)


def address(client: Mapping[str, str]) -> str:
    """Kafka's addresses in the client's settings, for messages."""
    return client.get("bootstrap.servers", "(no bootstrap.servers)")


def make_client(factory: Callable[[Config], Client], config: Config, reports: Reports) -> Client:
    """A new producer, consumer or admin client.

    Raises:
        BadClientOptions: librdkafka refuses these settings.
    """
    try:
        return factory({**config, "error_cb": reports, "logger": reports})
    except KafkaException as error:
        raise BadClientOptions(_refusal(error_of(error).str(), config)) from None


def _refusal(words: str, config: Mapping[str, Any]) -> str:
    """Why librdkafka refuses its settings, with the option to correct.

    librdkafka's words begin with the kind of client that it failed to create; this part is removed.
    """
    reason = _TO_BECOME.sub("", " ".join(words.split()))
    if "GSSAPI" in reason and not config.keys() & {"sasl.mechanism", "sasl.mechanisms"}:
        return f"{reason}; name the login's sasl.mechanism, such as PLAIN"
    return reason


def error_of(error: KafkaException) -> KafkaError:
    """The Kafka error inside an exception."""
    inner = error.args[0]
    assert isinstance(inner, KafkaError)
    return inner


def is_fenced(error: KafkaError) -> bool:
    """Whether another producer has taken our transactional id."""
    return error.code() in _FENCED


def is_unknown(error: KafkaError) -> bool:
    """Whether the topic or the partition does not exist."""
    return error.code() in _UNKNOWN


def is_passing(error: KafkaError) -> bool:
    """Whether the error passes by itself, so a retry may help."""
    return error.code() in _PASSING


def why(error: KafkaError, reports: Reports) -> str:
    """The reason of an error; if it is only a timeout, the client's last connection error."""
    return (error.code() in _SILENT and reports.last) or error.str()


def unreachable(
    client: Mapping[str, str], task: str, reports: Reports, error: KafkaError | None = None
) -> Unreachable:
    """The error for a Kafka that does not answer or refuses the login.

    Args:
        client: the client's settings; the message names the addresses.
        task: completes the sentence "Kafka did not ...".
        reports: the client's last connection errors.
        error: Kafka's answer; None if it did not answer.
    """
    reason = reports.last if error is None else why(error, reports)
    refused = reports.refused if error is None or error.code() in _SILENT else error.code() in _REFUSED
    message = (
        f"Kafka at {address(client)} did not {task}{f' ({reason})' if reason else ''}: check the address, the"
        " login and that the broker runs"
    )
    return LoginRefused(message) if refused else Unreachable(message)


def check_may_read(error: KafkaError, client: Mapping[str, str], topic: str, group: str | None) -> None:
    """Raise an error if Kafka does not let this login read a topic, or not in a group.

    Args:
        error: Kafka's answer.
        client: the client's settings; the message names the addresses.
        topic: the topic.
        group: the consumer group; None if none is named to the user.

    Raises:
        LoginRefused: this login may not read the topic, or not in this group.
    """
    if error.code() in _UNREADABLE:
        what = "topic" if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED else "group"
        raise LoginRefused(
            f"Kafka at {address(client)} refuses to let this login read {topic}"
            f"{f' in the group {group}' if group else ''} ({error.str()}): grant it READ on the {what}"
        )


def answered(
    question: Callable[[], Answer], deadline_s: float, passes: Callable[[KafkaError], bool] = is_passing
) -> Answer:
    """The answer to a request; retries while Kafka refuses with an error that passes by itself.

    All requests to Kafka go through here, except the requests inside a transaction. A broker that has just
    started answers for some seconds that it is not the group's coordinator, or that a new topic has no
    leader.

    Args:
        question: sends the request once, with its own timeout.
        deadline_s: retry for at most this many seconds.
        passes: whether to retry after this error.

    Raises:
        KafkaException: the last refusal.
    """
    end_s = time.monotonic() + deadline_s
    while True:
        try:
            return question()
        except KafkaException as error:
            if not passes(error_of(error)) or time.monotonic() >= end_s:
                raise
        time.sleep(_RETRY_S)


def is_unsettled(error: KafkaError) -> bool:
    """Whether a retry may help if the topic exists: a broker may learn of it, or of its leader, later."""
    return is_passing(error) or is_unknown(error) or error.code() == KafkaError._NOENT  # noqa: SLF001
