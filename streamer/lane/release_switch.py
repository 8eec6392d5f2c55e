"""Which release decides now: the newest, as soon as every lane keeps a complete index of its space (DESIGN §6).

A release of the space in use decides at once. One of another space first has each lane *fill* the index of that space:
a sweep by the release in use, that writes both indexes from then on. A place that says so, and that the sweep has come to
all users, is the lane's note. Then the new release decides, and its sweep takes the users out of the old index.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from schemas.errors import BadRelease
from schemas.release.model_release import ModelRelease
from streamer.batch.batch_users import AngleOf
from streamer.batch.lane_config import LaneConfig, Models
from streamer.interfaces.lane_errors import NotReady
from streamer.interfaces.lane_interfaces import Store
from streamer.place import place as places
from streamer.place.place import Place, Sweep, filling, has_index, using
from streamer.segment.active_model import ActiveModel
from streamer.segment.neighbours import angle
from streamer.segment.scoring import Scorer
from streamer.user.user_features import features
from streamer.user.user_state import Decided, UserState


class Turn(Struct, frozen=True):
    """What a batch goes by: the model that decides, the sweep that it belongs to, and by space the angles in the
    indexes that are filled meanwhile.
    """

    model: ActiveModel
    sweep: Sweep
    filled: Mapping[str, AngleOf]


class Switch:
    """One lane's view of which release decides."""

    def __init__(self, partition: int, models: Models, store: Store, config: LaneConfig) -> None:
        self._models = models
        self._store = store
        self._others = [other for other in range(config.settings.partitions) if other != partition]
        self._rules = config.rules
        self._former: ActiveModel | None = None
        self._scorers: dict[str, Scorer] = {}

    def newest(self) -> ActiveModel:
        """The newest release that has been read.

        Raises:
            NotReady: there is none yet.
        """
        model = self._models.current()
        if model is None:
            raise NotReady(self._models.problem() or "no release is published yet: run `segue publish`")
        return model

    def turn(self, place: Place | None) -> Turn:
        """What the batch after this place goes by.

        Raises:
            NotReady: no release was read yet, or not the one that the place tells of.
        """
        newest = self.newest()
        if place is None:
            return Turn(newest, using(None, newest), {})
        sweep = place.sweep
        if sweep.by(newest):
            return Turn(newest, sweep, self._filled(sweep))
        if sweep.models_topic != newest.topic_id:
            return self._at_once(place, newest)
        self._expect_read(sweep.activation, newest)
        in_use = self._former_model(sweep.version, sweep.activation, sweep.at, newest)
        if in_use is None:
            return self._at_once(place, newest)
        if self._everywhere(place, newest.release.space):
            return Turn(newest, using(sweep, newest), {})
        sweep = filling(sweep, newest)
        return Turn(in_use, sweep, self._filled(sweep))

    def after(self, turn: Turn, decisions: Iterable[Decided | None]) -> Turn:
        """What batches go by after these decisions: the lane had come to a later activation, where one of
        them is of it, and crashed before it could save that.

        Raises:
            NotReady: the later one was not read yet.
        """
        model = turn.model
        of_topic = (d for d in decisions if d is not None and d.models_topic == model.topic_id)
        latest = max(of_topic, key=lambda decided: decided.activation, default=None)
        if latest is None or latest.activation <= model.activation:
            return turn
        newest = self.newest()
        self._expect_read(latest.activation, newest)
        if latest.activation == newest.activation:
            used = newest
        else:
            # Compaction may have taken the record that tells its time.
            used = self._former_model(latest.model_version, latest.activation, newest.at, newest) or newest
        # What the lane had filled for it, Redis may have lost.
        whole = turn.sweep.whole and turn.sweep.space == used.release.space
        return Turn(used, using(turn.sweep, used, whole=whole), {})

    def _at_once(self, place: Place, newest: ActiveModel) -> Turn:
        """The newest decides, whichever indexes there are: what was in use is not known any more."""
        whole = has_index(place, newest.release.space)
        return Turn(newest, using(place.sweep, newest, whole=whole), {})

    def _expect_read(self, activation: int, newest: ActiveModel) -> None:
        """A lane that a later activation decided for, than this worker has read, waits for that one."""
        read = max(newest.activation, self._models.known_activation())
        if activation > read:
            raise NotReady(
                f"the lane was decided by activation {activation}, and this worker has read the releases up to {read}"
            )

    def _former_model(
        self, version: str, activation: int, at: datetime, newest: ActiveModel
    ) -> ActiveModel | None:
        """A release in use before the newest; None where it is not known any more."""
        former = self._former
        if former is None or (former.topic_id, former.activation) != (newest.topic_id, activation):
            release = self._release(version)
            if release is None:
                return None
            self._former = former = ActiveModel(release, Scorer(release), activation, newest.topic_id, at)
        return former

    def _everywhere(self, place: Place, space: str) -> bool:
        """Whether every lane notes a complete index of this space.

        A lane without a place does not: its owner, who may not have read of this release, is about to write one.
        """
        if not has_index(place, space):
            return False
        stored = self._store.places(self._others)
        return len(stored) == len(self._others) and all(_notes(one, space) for one in stored)

    def _filled(self, sweep: Sweep) -> dict[str, AngleOf]:
        return {space: self._angle_by(self._scorer(version)) for space, version in sweep.filling.items()}

    def _angle_by(self, scorer: Scorer) -> AngleOf:
        def angle_of(state: UserState) -> float | None:
            if not state.facts.alive:
                return None
            return angle(scorer.score(features(state, self._rules)).components)

        return angle_of

    def _scorer(self, version: str) -> Scorer:
        if version not in self._scorers:
            release = self._release(version)
            if release is None:
                raise NotReady(
                    f"release {version}, whose index is filled, is not known any more: publish it again"
                )
            self._scorers[version] = Scorer(release)
        return self._scorers[version]

    def _release(self, version: str) -> ModelRelease | None:
        try:
            return self._models.release_by_version(version)
        except BadRelease:
            return None


def _notes(stored: bytes, space: str) -> bool:
    place = places.readable(stored)
    return place is not None and has_index(place, space)
