"""Which release a training continues."""

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
    """The release in use; None where this is a first training.

    Args:
        named: a release's folder, or ``none``; None asks Kafka.
        out: the folder of releases, where the current one's own may lie.
        say: told what was found.

    Raises:
        BadRelease: the folder, or the current record in Kafka, cannot be read.
        Unreachable: the setting ``kafka`` names a Kafka that does not answer, though it was waited for.
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
                f"{error}; or name the release to continue: --current FOLDER, or --current none for a first training"
            ) from None
        say(
            f"no Kafka answers at {settings.kafka}, the default, so this is a first training: --current names a release to "
            "continue"
        )
        return None
    if known.problem is not None:
        raise BadRelease(
            f"the current release cannot be continued: {known.problem}; or name another one: --current FOLDER, or "
            "--current none for a first training"
        )
    if known.current is None:
        say(f"no release was published on {settings.topics.models} yet, so this is a first training")
        return None
    release = known.current.release
    assignments = published_assignments(release, out, settings.artifacts_prefix)
    if assignments is None:
        say(
            f"the folder of release {release.version}, which is current, is not whole in {out}{_elsewhere(release, settings)}:"
            " what behaviour moves, and drift, are not told"
        )
    return Current(release, known.next_segment, assignments)


def _elsewhere(release: ModelRelease, settings: Settings) -> str:
    """What is to be said of the place that it was uploaded to."""
    uri = release.artifacts_uri
    if uri is None:
        return ""
    if place_below(release, settings.artifacts_prefix) is not None:
        return f", nor at {uri!r}"
    return f", and {uri!r}, where it was uploaded to, does not lie below the setting artifacts_prefix"


def _asked_once(settings: Settings) -> ModelsTopic:
    return ModelsTopic(settings.topics, settings.kafka_client, DEADLINE_S)
