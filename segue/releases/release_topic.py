"""Reads and writes the topic of releases, for `publish`, `releases` and `rollback`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import BadRelease, NotInstalled
from schemas.release.model_release import ModelRelease
from schemas.release.release_checks import check_declared, check_statuses, check_time_zone
from segue.config.settings import Settings
from segue.config.trainer_extra import installed
from segue.connect.kafka_access import wait_for_kafka
from segue.connect.wait_for_servers import answer_s
from streamer.interfaces.lane_interfaces import Record
from streamer.kafka.models_topic import TRANSACTION_S, ModelsTopic
from trainer.publish.activate import activate
from trainer.publish.release_history import Publication, Published, published
from trainer.publish.releases_topic import ToWrite

if TYPE_CHECKING:
    from trainer.publish.publish_release import Plan
    from trainer.release.impact import Impact

DEADLINE_S = 15.0


class PatientTopic(ModelsTopic):
    """The topic of releases. Its methods wait for Kafka, and report the wait to the user.

    It connects with its first call.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            settings.topics, settings.kafka_client, answer_s(DEADLINE_S), answer_s(TRANSACTION_S)
        )
        self._patience = wait_for_kafka(settings)

    def ensure(self) -> None:
        """As :meth:`ModelsTopic.ensure`."""
        self._patience.until_answered(super().ensure)

    def read(self) -> list[Record]:
        """As :meth:`ModelsTopic.read`."""
        return self._patience.until_answered(super().read)

    def write(self, records: Sequence[ToWrite], check: Callable[[], None] = lambda: None) -> int:
        """As :meth:`ModelsTopic.write`. It is not repeated: a write without an answer may have succeeded."""
        with self._patience.visible():
            return super().write(records, check)


def plan(path: Path, settings: Settings) -> Plan:
    """Plan the publication of a release's folder.

    Raises:
        NotInstalled: the trainer's packages are not installed.
        BadRelease: the release was trained with other ``exclude_statuses`` or in another time zone.
        SegueError: as :func:`trainer.publish.publish_release.plan_publish`.
    """
    with installed():
        from trainer.publish import publish_release  # noqa: PLC0415 - heavy, and not everywhere
    planned = publish_release.plan_publish(
        path,
        PatientTopic(settings),
        max_moved=settings.max_moved,
        artifacts_prefix=settings.artifacts_prefix,
    )
    check_fits(planned.release, settings)
    return planned


def check_fits(release: ModelRelease, settings: Settings) -> None:
    """Check that a release was trained with the ``exclude_statuses`` and the time zone of these settings.

    Raises:
        BadRelease: workers with these settings would refuse it.
    """
    check_statuses(release, frozenset(settings.exclude_statuses))
    check_time_zone(release, settings.time_zone)


def carry_out(planned: Plan, settings: Settings, to: str | None, *, force: bool) -> int:
    """Publish a planned release, and return its activation.

    Args:
        planned: the plan.
        settings: name the Kafka and the topics.
        to: an address to upload the folder to first; None for no upload.
        force: publish a release that the plan refuses or that is already current.

    Raises:
        SegueError: as :func:`trainer.publish.publish_release.carry_out`.
    """
    from trainer.publish import publish_release  # noqa: PLC0415 - as above

    return publish_release.carry_out(planned, PatientTopic(settings), settings.topics, to, force=force)


def unusable_here(planned: Plan, settings: Settings) -> str | None:
    """Return why workers with these settings would not use the release; None if they would use it."""
    try:
        check_declared(planned.release, settings.read_features)
    except BadRelease as error:
        return str(error)
    return None


def plan_as_json(planned: Plan, activation: int | None, *, done: bool) -> dict[str, object]:
    """Return the plan and its result for programs.

    Args:
        planned: the plan.
        activation: the new activation; None if nothing was published.
        done: whether the release was already current.
    """
    return {
        "version": planned.release.version,
        "activation": activation,
        "already_current": done,
        "refusal": planned.refusal,
        "impact": planned.impact,
        "drift": planned.drift,
    }


def known_releases(settings: Settings) -> Published:
    """Return all published releases.

    Raises:
        Unreachable: Kafka does not answer.
    """
    return published(PatientTopic(settings).read())


def impact_of_rollback(known: Published, target: Publication, out: Path, prefix: str) -> Impact | None:
    """Compute how many training users of the current release a rollback moves.

    Args:
        known: all published releases.
        target: the release that becomes current.
        out: the folder of releases.
        prefix: the address below which uploaded releases may be read.

    Returns:
        The impact; None if the training users cannot be read or scored.
    """
    try:
        with installed():
            from trainer.release.current_release import (  # noqa: PLC0415 - as above
                Current,
                published_assignments,
            )
            from trainer.release.impact import impact_of  # noqa: PLC0415 - as above
            from trainer.steps.batch_scorer import can_score, score  # noqa: PLC0415 - as above
    except NotInstalled:
        return None
    if known.current is None:
        return None
    current = known.current.release
    users = published_assignments(current, out, prefix)
    if users is None or not can_score(target.release, users, current.declared):
        return None
    before, after = score(current, users).segments, score(target.release, users).segments
    day = current.training.day_read
    return impact_of(Current(current, known.next_segment, users), target.release, users, before, after, day)


def roll_back(known: Published, target: Publication, settings: Settings) -> int:
    """Make an older release current again, and return the new activation.

    Args:
        known: all published releases.
        target: the release that becomes current.
        settings: name the Kafka and the topics.

    Raises:
        BadRelease: the release was trained with other ``exclude_statuses`` or in another time zone.
    """
    check_fits(target.release, settings)
    return activate(target, known, PatientTopic(settings), settings.topics)
