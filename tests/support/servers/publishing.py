"""Publish a release in one call, as the command does."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from schemas.topics import Topics
from streamer.kafka.models_topic import ModelsTopic
from trainer.publish.publish_release import carry_out, plan_publish

DEADLINE_S = 15.0


def models_topic(
    bootstrap: str, topics: Topics, client: Mapping[str, str] | None = None, deadline_s: float = DEADLINE_S
) -> ModelsTopic:
    """Return the topic of releases in the Kafka at this address."""
    return ModelsTopic(topics, {"bootstrap.servers": bootstrap, **(client or {})}, deadline_s)


def publish(
    folder: Path,
    bootstrap: str,
    topics: Topics,
    to: str | None = None,
    *,
    client: Mapping[str, str] | None = None,
    force: bool = False,
    at: datetime | None = None,
    deadline_s: float = DEADLINE_S,
) -> int:
    """Publish a release; return the number of the activation."""
    topic = models_topic(bootstrap, topics, client, deadline_s)
    return carry_out(plan_publish(folder, topic), topic, topics, to, force=force, at=at)
