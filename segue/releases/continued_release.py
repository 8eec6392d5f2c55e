"""Finds the release that a training continues."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from schemas.errors import BadRelease, Unreachable
from schemas.release.model_release import ModelRelease
from segue.config.settings import Settings
from segue.releases.release_topic import PatientTopic
from segue.releases.training_settings import NONE
from streamer.kafka.models_topic import ModelsTopic
from trainer.publish.release_history import published
from trainer.release.current_release import Current, current_from, published_assignments
from trainer.release.uploaded_files import place_below

DEADLINE_S = 3.0


def release_to_continue(
    settings: Settings, named: str | None, out: Path, say: Callable[[str], None]
) -> Current | None:
    """Return the release to continue; None for a first training.

    Args:
        settings: name the Kafka, the topic and where uploaded releases may be read.
        named: a release's folder, or ``none`` for a first training; None asks Kafka for the current release.
        out: the folder of releases, which may contain the current release.
        say: called with each sentence about the result.

    Raises:
        BadRelease: the folder, or the current record in Kafka, cannot be read.
        Unreachable: the setting ``kafka`` was given, and this Kafka does not answer in time.
    """
    if named == NONE:
        return None
    if named is not None:
        return current_from(Path(named))
    is_named = "kafka" in settings.model_fields_set
    try:
        known = published((PatientTopic(settings) if is_named else _asked_once(settings)).read())
    except Unreachable as error:
        if is_named:
            raise Unreachable(
                f"{error}; or name the release to continue: --current FOLDER,"
                " or --current none for a first training"
            ) from None
        say(
            f"no Kafka answers at {settings.kafka}, the default, so this is a first training:"
            " --current names a release to continue"
        )
        return None
    if known.problem is not None:
        raise BadRelease(
            f"the current release cannot be continued: {known.problem}; or name another one:"
            " --current FOLDER, or --current none for a first training"
        )
    if known.current is None:
        say(f"no release was published on {settings.topics.models} yet, so this is a first training")
        return None
    release = known.current.release
    assignments = published_assignments(release, out, settings.artifacts_prefix)
    if assignments is None:
        say(
            f"the folder of release {release.version}, which is current, is not whole in {out}"
            f"{_elsewhere(release, settings)}: moves by behaviour and drift are not shown"
        )
    return Current(release, known.next_segment, assignments)


def _elsewhere(release: ModelRelease, settings: Settings) -> str:
    """Return words about the release's uploaded files, which are not usable either."""
    uri = release.artifacts_uri
    if uri is None:
        return ""
    if place_below(release, settings.artifacts_prefix) is not None:
        return f", nor at {uri!r}"
    return f", and {uri!r}, where it was uploaded to, does not lie below the setting artifacts_prefix"


def _asked_once(settings: Settings) -> ModelsTopic:
    return ModelsTopic(settings.topics, settings.kafka_client, DEADLINE_S)
