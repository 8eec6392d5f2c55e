"""Publish releases and roll back, and track how far each worker has read."""

from random import Random

from schemas.release.model_release import ModelRelease
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from tests.support.worlds.made_up_release import (
    AS_GROUPS,
    AS_LOGARITHMS,
    AS_NUMBERS,
    CENTRES,
    a_release,
    an_active_model,
    timed,
)

# Other centres in the same space: a new release alone moves users.
_CENTRES = (
    CENTRES,
    (CENTRES[2], CENTRES[1], CENTRES[0], CENTRES[3]),
    ((0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5)),
)
# Each scale gives another space.
_SCALES = (0.5, 2.0)
# By release, how it reads features of time. Each form gives another space.
_FORMS = (AS_NUMBERS, AS_LOGARITHMS, AS_NUMBERS, AS_GROUPS, AS_LOGARITHMS)


class Published:
    """The topic of releases, with every activation; the newest is last."""

    def __init__(self, exclude_statuses: tuple[str, ...], *, of_time: bool) -> None:
        releases = [
            *(a_release(centres=c, exclude_statuses=exclude_statuses) for c in _CENTRES),
            *(a_release(scale=s, exclude_statuses=exclude_statuses) for s in _SCALES),
        ]
        if of_time:
            # One release does not read the features of time that are declared.
            releases = [*map(timed, releases, _FORMS), releases[0]]
        self._releases = releases
        self.activations = [an_active_model(0, self._releases[0])]
        self.bootstrap: BootstrapRecord | None = None

    @property
    def newest(self) -> ActiveModel:
        return self.activations[-1]

    def activate(self, random: Random) -> ActiveModel:
        """Make a random release current, perhaps the current release again."""
        # A publish writes two records, a rollback one record.
        offset = self.newest.activation + random.randint(1, 2)
        release: ModelRelease = random.choice(self._releases)
        self.activations.append(an_active_model(offset, release))
        return self.newest


class Read:
    """The position of one worker in the topic of releases; the worker is behind until it looks."""

    def __init__(self, published: Published, random: Random) -> None:
        self._published = published
        self._random = random
        self._read = 1

    def look(self) -> ActiveModel:
        if self._random.random() < 0.5:
            self._read = self._random.randint(self._read, len(self._published.activations))
        return self.newest

    def to_the_end(self) -> "Read":
        self._read = len(self._published.activations)
        return self

    @property
    def newest(self) -> ActiveModel:
        return self._published.activations[self._read - 1]

    def release_by_version(self, version: str) -> ModelRelease | None:
        read = (model.release for model in self._published.activations[: self._read])
        return next((release for release in read if release.version == version), None)

    def bootstrap_standing(self) -> BootstrapRecord | None:
        return self._published.bootstrap


class LaneModels:
    """The releases for one lane of a worker."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def current(self) -> ActiveModel:
        return self._read.look()

    def known_activation(self) -> int:
        return self._read.newest.activation

    def problem(self) -> str | None:
        return None

    def release_by_version(self, version: str) -> ModelRelease | None:
        return self._read.release_by_version(version)

    def bootstrap_standing(self) -> BootstrapRecord | None:
        return self._read.bootstrap_standing()
