"""The group errors that end a worker, in one sentence each; every other error is retried."""

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
    KafkaError,
)

from schemas.errors import BadSetting, SegueError
from streamer.worker.worker_config import WorkerConfig


def explained(error: KafkaError, config: WorkerConfig) -> SegueError | None:
    """The error for the user if a retry cannot help; None for any other error."""
    group = config.group
    match error:
        case GroupAuthorizationFailedError():
            return BadSetting("group", group, "this login may not use it; grant it READ on the group")
        case InconsistentGroupProtocolError():
            return BadSetting("group", group, "another program uses this group; choose another group")
        case InvalidGroupIdError():
            return BadSetting("group", group, "Kafka does not accept this name; choose another")
        case InvalidSessionTimeoutError():
            return BadSetting(
                "session_timeout_ms",
                config.session_timeout_ms,
                "choose one within the broker's group.min.session.timeout.ms and"
                " group.max.session.timeout.ms",
            )
        case _:
            return None
