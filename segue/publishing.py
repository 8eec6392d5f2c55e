"""What `publish`, `releases` and `rollback` ask and tell the topic of releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from segue.settings import Settings
from segue.trainer_extra import NotInstalled, installed
from trainer.activate import activate
from trainer.models_topic import ModelsTopic
from trainer.published import Publication, Published, published

if TYPE_CHECKING:
    from trainer.impact import Impact
    from trainer.publish import Plan

DEADLINE_S = 15.0


def topic_of(settings: Settings) -> ModelsTopic:
    """The topic of releases; connects to nothing yet."""
    return ModelsTopic(settings.kafka, settings.topics, settings.kafka_options, DEADLINE_S)


def plan(path: Path, settings: Settings) -> Plan:
    """:func:`trainer.publish.plan_publish`; errors as there, and NotInstalled."""
    with installed():
        from trainer import publish  # noqa: PLC0415 - heavy, and not everywhere
    return publish.plan_publish(path, topic_of(settings), max_moved=settings.max_moved)


def carry_out(planned: Plan, settings: Settings, to: str | None, *, force: bool) -> int:
    """:func:`trainer.publish.carry_out`; gives the activation."""
    from trainer import publish  # noqa: PLC0415 - as above

    return publish.carry_out(planned, topic_of(settings), settings.topics, to, force=force)


def plan_json(planned: Plan, activation: int | None) -> str:
    """What was or would be published, for programs."""
    told = {
        "version": planned.release.version,
        "activation": activation,
        "refusal": planned.refusal,
        "impact": planned.impact,
        "drift": planned.drift,
    }
    return msgspec.json.encode(told).decode()


def known_releases(settings: Settings) -> Published:
    """What is published.

    Raises:
        Unreachable: Kafka does not answer.
    """
    return published(topic_of(settings).read())


def impact_of_rollback(known: Published, target: Publication, out: Path) -> Impact | None:
    """Whom a rollback moves, of the training users of the current release; None where they are not at hand."""
    try:
        with installed():
            from trainer.current import Current, published_assignments  # noqa: PLC0415 - as above
            from trainer.impact import impact_of  # noqa: PLC0415 - as above
            from trainer.scorer import can_score, score  # noqa: PLC0415 - as above
    except NotInstalled:
        return None
    if known.current is None:
        return None
    current = known.current.release
    users = published_assignments(current, out)
    if users is None or not can_score(target.release, users, current.declared):
        return None
    before, after = score(current, users).segments, score(target.release, users).segments
    return impact_of(Current(current, known.next_segment, users), target.release, users, before, after)


def roll_back(known: Published, target: Publication, settings: Settings) -> int:
    """:func:`trainer.activate.activate`; gives the activation."""
    return activate(target, known, topic_of(settings), settings.topics)
