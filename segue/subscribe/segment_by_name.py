"""The segment that a reader names, by its name or its number."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.errors import BadRelease, BadSetting
from schemas.printable import printable
from schemas.release.model_release import ModelRelease
from schemas.topics import Topics
from segue.subscribe.partition_source import find_topic
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.models_topic import ModelsTopic


def read_current_release(client: Mapping[str, str], topics: Topics, deadline_s: float) -> ModelRelease:
    """Read the current release from ``segment-models``.

    Args:
        client: librdkafka's settings of a client.
        topics: the names of the topics.
        deadline_s: how many seconds to wait for each answer.

    Raises:
        BadRelease: there is none, or this version of Segue cannot read it.
        LoginRefused: this login may not read the topic.
        Unreachable: Kafka does not answer.
    """
    find_topic(Admin(client, deadline_s), topics.models, client)  # says which right is missing
    current = ModelsTopic(topics, client, deadline_s).current()
    if current is None:
        raise BadRelease(
            f"no release was published on {topics.models} yet, so no segment has a name: name the segment by"
            " its number, or publish a release first"
        )
    return current


def segment_number(name: str, release: ModelRelease) -> int:
    """Return the number of the segment with a name.

    Raises:
        BadSetting: the release has no segment of this name, or several.
    """
    found = [segment.id for segment in release.segments if segment.name == name]
    if len(found) == 1:
        return found[0]
    has = "several segments" if found else "no segment"
    raise BadSetting(
        "segment",
        printable(name),
        f"release {release.version} has {has} of this name; it has {_listed(release)}",
    )


def why_no_segment(number: int, release: ModelRelease) -> str | None:
    """Return a note if the release has no segment of this number; another release may have it."""
    if any(segment.id == number for segment in release.segments):
        return None
    there = _listed(release)
    return f"Segment {number} is not in the current release, which has {there}: nobody enters it for now."


def _listed(release: ModelRelease) -> str:
    return ", ".join(f"{segment.id} {printable(segment.name)}" for segment in release.segments)
