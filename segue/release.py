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
    releases = Releases(settings.kafka_client, settings.topics, deadlines=Deadlines(request_s=deadline_s))
    try:
        releases.start()
        model = releases.current()
        if model is None:
            raise BadRelease(f"there is no release in use on {settings.topics.models}: {releases.problem()}")
        return model
    finally:
        releases.close()
