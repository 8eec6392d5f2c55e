"""Finds triggers that never send: their segments are not in the current release, or are one segment."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from schemas.errors import BadRelease, BadTopics, SegueError
from schemas.release.model_release import ModelRelease
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, patiently
from segue.triggers.file.trigger_file import SegmentName, Triggers
from streamer.kafka.models_topic import ModelsTopic

LOOK_S = 3.0
"""Seconds that `segue triggers check`, which also works without a Kafka, waits for each answer."""


def segments_of(settings: Settings) -> dict[int, str]:
    """Return the names of the current release's segments, by id; empty if there is no release to read."""
    topic = ModelsTopic(settings.topics, settings.kafka_client, DEADLINE_S)
    try:
        return _segments(patiently(settings, topic.current))
    except (BadRelease, BadTopics):
        return {}  # the changes name the segments; the release only helps


def looked_up_segments(settings: Settings, triggers: Triggers) -> list[str]:
    """Ask Kafka once for the current release; return :func:`unknown_segments`, or why they are not known.

    Args:
        settings: name the Kafka and the topics.
        triggers: the file of triggers.
    """
    topic = ModelsTopic(settings.topics, settings.kafka_client, LOOK_S)
    try:
        segments = _segments(topic.current())
    except SegueError as error:
        return [f"the segments are not checked: {error}"]
    if not segments:
        return ["the segments are not checked: no release is in use"]
    return unknown_segments(replace(triggers, segments=segments))


def _segments(release: ModelRelease | None) -> dict[int, str]:
    return {} if release is None else {each.id: each.name for each in release.segments}


def unknown_segments(triggers: Triggers) -> list[str]:
    """Return a sentence for each trigger that can never send by the current release, without an end.

    >>> from segue.triggers.file.trigger_file import Trigger
    >>> file = Triggers(
    ...     (Trigger(name="a", on="entering", segment="At rsik"),), segments={0: "At risk", 3: "Lost"}
    ... )
    >>> unknown_segments(file)
    ["trigger a: the current release has no segment 'At rsik', it has 0 'At risk', 3 'Lost'"]
    >>> file = Triggers((Trigger(name="a", on="moving", origin=3, target="Lost"),), segments={3: "Lost"})
    >>> unknown_segments(file)
    ["trigger a: from 3 and to 'Lost' name one segment of the current release, so nobody moves"]
    """
    names = triggers.segments
    if not names:
        return []
    known = {*names, *names.values()}
    there = ", ".join(f"{number} {name!r}" for number, name in sorted(names.items()))
    return [
        f"trigger {trigger.name}: the current release has no segment {wanted!r}, it has {there}"
        for trigger in triggers.triggers
        for wanted in (trigger.segment, trigger.origin, trigger.target)
        if wanted is not None and wanted not in known
    ] + [
        f"trigger {trigger.name}: from {trigger.origin!r} and to {trigger.target!r} name one segment of the"
        " current release, so nobody moves"
        for trigger in triggers.triggers
        if trigger.on == "moving" and _is_same(names, trigger.origin, trigger.target)
    ]


def _is_same(names: Mapping[int, str], one: SegmentName | None, other: SegmentName | None) -> bool:
    """Whether an id and a name mean one segment."""
    return any(isinstance(at, int) and names.get(at) == name for at, name in ((one, other), (other, one)))
