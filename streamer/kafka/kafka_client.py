"""What all of our Kafka clients share: settings, deadlines, and errors told in one sentence."""

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
_SILENT = frozenset({KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.REQUEST_TIMED_OUT})  # noqa: SLF001
# These pass by themselves: a broker restarts, or has only just started, or its metadata lags.
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
# Waiting does not help: the login is not the right one, or may not do what it asks for.
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
# Another producer with our transactional id has been started, or the coordinator acts as if it had.
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

    ``request_s`` for one answer, ``fence_s`` for a producer to start (which ends its predecessor's
    transaction), ``commit_s`` for a transaction, ``abort_s`` for ending one that failed. Every
    ``check_s`` a reader asks whether its topics are still the ones that it began with; without an
    answer for ``outage_s`` Kafka counts as unreachable. ``transaction_ms`` is after how long the broker
    ends the transaction of a producer that died.
    """

    request_s: float = 10.0
    fence_s: float = 60.0
    commit_s: float = 30.0
    abort_s: float = 5.0
    check_s: float = 5.0
    outage_s: float = 30.0
    transaction_ms: int = 60_000


class Reports:
    """What a client said lately of its connection, for messages: a timeout alone tells nobody why."""

    __slots__ = ("_said", "_said_s")

    def __init__(self) -> None:
        self._said: KafkaError | None = None
        self._said_s = 0.0

    @property
    def last(self) -> str | None:
        """The newest error, unless it is too old to be the reason for what happens now."""
        return None if (error := self._lately()) is None else error.str()

    @property
    def refused(self) -> bool:
        """Whether it is that the login was refused."""
        return (error := self._lately()) is not None and error.code() in _REFUSED

    def _lately(self) -> KafkaError | None:
        return self._said if time.monotonic() - self._said_s < _LATELY_S else None

    def __call__(self, error: KafkaError) -> None:
        """Take an error of the connection: the ``error_cb`` of librdkafka."""
        # It follows each failed connection, and hides the one that says why.
        if error.code() != _ALL_BROKERS_DOWN:
            self._said, self._said_s = error, time.monotonic()

    def log(self, level: int, text: str, *args: object) -> None:
        """Take a line of librdkafka's own log; what matters of it comes as an error, too."""
        log.debug("librdkafka", text=text % args, level_number=level)


def address(client: Mapping[str, str]) -> str:
    """Kafka's addresses, for messages."""
    return client.get("bootstrap.servers", "(no bootstrap.servers)")


def make_client(factory: Callable[[Config], Client], config: Config, reports: Reports) -> Client:
    """A producer, consumer or admin client.

    Raises:
        BadClientOptions: librdkafka cannot use these settings.
    """
    try:
        return factory({**config, "error_cb": reports, "logger": reports})
    except KafkaException as error:
        raise BadClientOptions(_refusal(error_of(error).str(), config)) from None


def _refusal(told: str, config: Mapping[str, Any]) -> str:
    """Why librdkafka refuses its settings, with the option to correct; its words begin with what it was to become."""
    reason = _TO_BECOME.sub("", " ".join(told.split()))
    if "GSSAPI" in reason and not config.keys() & {"sasl.mechanism", "sasl.mechanisms"}:
        return f"{reason}; name the login's sasl.mechanism, such as PLAIN"
    return reason


def error_of(error: KafkaException) -> KafkaError:
    """What lies in the exception."""
    told = error.args[0]
    assert isinstance(told, KafkaError)
    return told


def is_fenced(error: KafkaError) -> bool:
    """Whether another producer has taken our transactional id."""
    return error.code() in _FENCED


def is_unknown(error: KafkaError) -> bool:
    """Whether there is no such topic or partition."""
    return error.code() in _UNKNOWN


def is_passing(error: KafkaError) -> bool:
    """Whether waiting helps."""
    return error.code() in _PASSING


def why(error: KafkaError, reports: Reports) -> str:
    """The better reason: why the connection failed, where the error is only that nobody answered."""
    return (error.code() in _SILENT and reports.last) or error.str()


def unreachable(
    client: Mapping[str, str], task: str, reports: Reports, error: KafkaError | None = None
) -> Unreachable:
    """The error of a Kafka that does not answer, or refuses what a login may do.

    Args:
        task: what it did not do.
        error: what it answered; None where it did not.
    """
    reason = reports.last if error is None else why(error, reports)
    refused = reports.refused if error is None or error.code() in _SILENT else error.code() in _REFUSED
    told = (
        f"Kafka at {address(client)} did not {task}{f' ({reason})' if reason else ''}: check the address, the"
        " login and that the broker runs"
    )
    return LoginRefused(told) if refused else Unreachable(told)


def answered(
    question: Callable[[], Answer], deadline_s: float, passes: Callable[[KafkaError], bool] = is_passing
) -> Answer:
    """The answer to a question, which is asked again while Kafka refuses it with an error that passes.

    Every question of Segue to Kafka goes through here, but those inside a transaction. A broker that has only just
    started says, for some seconds, that it is not the group's coordinator, or that nobody leads a topic just made.

    Args:
        question: asks once, with a timeout of its own.
        deadline_s: for how long to ask.
        passes: which errors to ask again after.

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
    """Whether waiting helps somebody who knows that the topic is there: a broker hears of a new one later."""
    return is_passing(error) or is_unknown(error)
