"""Loads the release in use, for commands that need it."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import BadRelease
from schemas.release.model_release import ModelRelease
from schemas.release.release_checks import check_declared, check_time_zone
from schemas.times import EPOCH
from segue.config.settings import Settings
from segue.config.trainer_extra import load_folder
from segue.connect.kafka_access import DEADLINE_S, patiently
from streamer.kafka.kafka_client import Deadlines
from streamer.releases.release_follower import NONE_PUBLISHED, Releases
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.segment.scoring import Scorer


def current_model(settings: Settings) -> ActiveModel:
    """Read the current release from Kafka.

    Raises:
        BadRelease: there is no current release, or it cannot be used.
        Unreachable: Kafka does not answer.
    """
    return in_use(patiently(settings, lambda: read_releases(settings, DEADLINE_S)), settings)


def read_releases(settings: Settings, deadline_s: float) -> Releases:
    """Read the topic of releases as it is now.

    Args:
        settings: name the Kafka and the topic, and say how features are made.
        deadline_s: seconds that one request may take.

    Raises:
        Unreachable: Kafka does not answer in time.
    """
    deadlines = Deadlines(request_s=deadline_s)
    releases = Releases(
        settings.kafka_client,
        settings.topics,
        settings.read_features,
        time_zone=settings.time_zone,
        log_every_refusal=False,
        deadlines=deadlines,
    )
    try:
        releases.start()
        return releases
    finally:
        releases.close()


def in_use(releases: Releases, settings: Settings) -> ActiveModel:
    """Return the release in use among the releases that were read.

    Raises:
        BadRelease: there is none, or it cannot be used.
    """
    model = releases.current()
    if model is None:
        raise _without_release(settings, releases.problem())
    return model


def usable_or_none(releases: Releases) -> ActiveModel | None:
    """Return the release in use among the releases that were read; None if none was published.

    Raises:
        BadRelease: there are only refused releases.
    """
    model = releases.current()
    if model is None and releases.known_activation() >= 0:
        raise BadRelease(f"{releases.problem()}")
    return model


def published(settings: Settings, name: str | None = None) -> tuple[ActiveModel, BootstrapRecord | None]:
    """Return a release, and the record of the bootstrap that the log continues.

    Args:
        settings: name the Kafka and the topic, and declare features.
        name: a version that was published, or a release's folder; None for the current release.

    Returns:
        The release, with activation -1 if ``name`` is given; and the bootstrap, None if there was no
        bootstrap.

    Raises:
        BadRelease: there is no such release, or it cannot be used.
        Unreachable: Kafka does not answer.
    """
    found = None if name is None else in_folder(name)
    releases = patiently(settings, lambda: read_releases(settings, DEADLINE_S))
    if name is None:
        return in_use(releases, settings), releases.bootstrap_standing()
    found = found or releases.release_by_version(name)
    if found is None:
        raise BadRelease(
            f"no release {name} was published, and there is no such folder:"
            " `segue releases` lists the releases"
        )
    check_declared(found, settings.read_features)
    check_time_zone(found, settings.time_zone)
    return ActiveModel(found, Scorer(found), -1, "", EPOCH), releases.bootstrap_standing()


def in_folder(name: str) -> ModelRelease | None:
    """Load the release in a folder; return None if the folder does not exist.

    Raises:
        BadRelease: the folder cannot be read, or does not contain a release.
    """
    folder = Path(name)
    try:
        is_folder = folder.is_dir()
    except OSError as error:
        raise BadRelease(f"the release {folder} cannot be read ({error.strerror})") from None
    return load_folder(folder) if is_folder else None


def _without_release(settings: Settings, problem: str | None) -> BadRelease:
    topic = settings.topics.models
    if problem == NONE_PUBLISHED:
        return BadRelease(
            f"no release was published on {topic} yet: `segue train` makes one,"
            " `segue publish` puts it into use"
        )
    return BadRelease(f"there is no release in use on {topic}: {problem}")
