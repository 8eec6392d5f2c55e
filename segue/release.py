"""The release in use, for a command that needs one."""

from __future__ import annotations

from schemas.errors import BadRelease
from segue.kafka import DEADLINE_S
from segue.settings import Settings
from streamer.kafka_client import Deadlines
from streamer.model import ActiveModel
from streamer.releases import Releases


def current_model(settings: Settings, *, deadline_s: float = DEADLINE_S) -> ActiveModel:
    """The current release, read from Kafka.

    Raises:
        BadRelease: there is none, or it cannot be used.
        Unreachable: Kafka does not answer in time.
    """
    model, problem = newest_model(settings, deadline_s)
    if model is None:
        raise BadRelease(f"there is no release in use on {settings.topics.models}: {problem}")
    return model


def newest_model(settings: Settings, deadline_s: float) -> tuple[ActiveModel | None, str | None]:
    """The release in use, if there is one, and why there is none or the newest is not used.

    Raises:
        Unreachable: Kafka does not answer in time.
    """
    deadlines = Deadlines(request_s=deadline_s)
    releases = Releases(settings.kafka_client, settings.topics, settings.declared, deadlines=deadlines)
    try:
        releases.start()
        return releases.current(), releases.problem()
    finally:
        releases.close()
