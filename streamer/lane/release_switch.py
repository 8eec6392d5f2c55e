"""The release that decides now: the newest one, as soon as every lane has a complete index of its space.

A new release in the present space decides at once, if no lane fills another index. For a new release in
another space, each lane first *fills* the index of that space: the release in use makes a sweep, and from
then on every save writes both indexes. The lane's place names the new activation as *ready*: the lane has
read it, so it will not leave that space because of an earlier one. When every lane is ready and has filled
the index, the new release decides, and its sweep removes the users from the old index.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BadRelease
from schemas.release.model_release import ModelRelease
from streamer.batch.batch_users import AngleOf
from streamer.batch.lane_config import LaneConfig, Models
from streamer.interfaces.lane_errors import NotReady
from streamer.interfaces.lane_interfaces import Store
from streamer.place import place as places
from streamer.place.place import Place, Sweep, filling, has_index, keeps_index, using
from streamer.segment.active_model import ActiveModel
from streamer.segment.lane_day import LaneDay
from streamer.segment.neighbours import angle
from streamer.segment.scoring import Scorer
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import Decided, UserState


class Turn(Struct, frozen=True):
    """The model, the sweep and the day for one batch.

    Attributes:
        model: the model that decides.
        sweep: the sweep that the batch belongs to.
        filled: by space whose index the sweep fills, the function that gives a user's angle there.
        day: the lane's day; None if no declared feature reads the day.
    """

    model: ActiveModel
    sweep: Sweep
    filled: Mapping[str, AngleOf]
    day: date | None = None

    def lane_day(self, rules: Rules) -> LaneDay | None:
        """The day with all that decides on it; None if no declared feature reads the day."""
        return None if self.day is None else LaneDay(self.day, self.model, rules)


class Switch:
    """Chooses the release that decides in one lane.

    Args:
        partition: the lane's partition number.
        models: the published releases.
        store: the lane's store; it gives the places of the other lanes.
        config: the settings of the lanes.
    """

    def __init__(self, partition: int, models: Models, store: Store, config: LaneConfig) -> None:
        self._models = models
        self._store = store
        self._others = [other for other in range(config.settings.partitions) if other != partition]
        self._rules = config.rules
        self._former: ActiveModel | None = None
        self._scorers: dict[str, Scorer] = {}

    def newest(self) -> ActiveModel:
        """The newest release that this worker has read.

        Raises:
            NotReady: there is no release yet.
        """
        model = self._models.current()
        if model is None:
            raise NotReady(self._models.problem() or "no release is published yet: run `segue publish`")
        return model

    def turn(self, place: Place | None, day: date | None) -> Turn:
        """The model and the sweep for the batch after this place, on this day.

        Raises:
            NotReady: there is no release yet, or this worker has not read the release that the place names.
        """
        return self.on(self._model_turn(place), day)

    def on(self, turn: Turn, day: date | None) -> Turn:
        """The same turn on this day.

        Raises:
            NotReady: a release whose index the lane fills is not known any more.
        """
        return replace(turn, day=day, filled=self._filled(turn.sweep, day))

    def _model_turn(self, place: Place | None) -> Turn:
        newest = self.newest()
        if place is None:
            return Turn(newest, using(None, newest), {})
        sweep = place.sweep
        if sweep.by(newest):
            return Turn(newest, sweep, {})
        if sweep.models_topic != newest.topic_id:
            return self._at_once(place, newest)
        self._expect_read(max(sweep.activation, sweep.ready), newest)
        in_use = self._former_model(sweep.version, sweep.activation, sweep.at, newest)
        if in_use is None:
            return self._at_once(place, newest)
        if self._every_lane_is_ready(place, newest):
            return Turn(newest, using(sweep, newest), {})
        return Turn(in_use, replace(filling(sweep, newest), ready=newest.activation), {})

    def after(self, turn: Turn, decisions: Iterable[Decided | None]) -> Turn:
        """The model and the sweep after a takeover has read these decisions.

        A decision by a later activation shows that the lane had used that activation, and crashed before it
        could save this.

        Args:
            turn: the model and the sweep so far.
            decisions: the decisions that were read from ``user-segments``; None for an erased user.

        Raises:
            NotReady: this worker has not read the later activation.
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
            # Compaction may have deleted the record that has the activation's time.
            used = self._former_model(latest.model_version, latest.activation, newest.at, newest) or newest
        # Redis may have lost the index that the lane had filled for this release.
        whole = turn.sweep.whole and turn.sweep.space == used.release.space
        return Turn(used, using(turn.sweep, used, whole=whole), {}, turn.day)

    def _at_once(self, place: Place, newest: ActiveModel) -> Turn:
        """The newest release decides, whatever indexes there are: the release in use is no longer known."""
        whole = has_index(place, newest.release.space)
        return Turn(newest, using(place.sweep, newest, whole=whole), {})

    def _expect_read(self, activation: int, newest: ActiveModel) -> None:
        """Wait, by raising NotReady, if a later activation than this worker has read decided in the lane."""
        read = max(newest.activation, self._models.known_activation())
        if activation > read:
            raise NotReady(
                f"the lane was decided by activation {activation}, and this worker has read the releases"
                f" up to {read}"
            )

    def _former_model(
        self, version: str, activation: int, at: datetime, newest: ActiveModel
    ) -> ActiveModel | None:
        """The release that was in use before the newest; None if it is no longer known."""
        former = self._former
        if former is None or (former.topic_id, former.activation) != (newest.topic_id, activation):
            release = self._release(version)
            if release is None:
                return None
            self._former = former = ActiveModel(release, Scorer(release), activation, newest.topic_id, at)
        return former

    def _every_lane_is_ready(self, place: Place, newest: ActiveModel) -> bool:
        """Whether every lane has the index of the newest release's space, and keeps it.

        A lane without a place has no index. Its owner is about to write a place, and may not have read the
        new release. A lane that has the index of one space only cannot leave it before all lanes are ready
        for another one, this lane included; so such lanes need not have read the new release.
        """
        if not has_index(place, newest.release.space):
            return False
        stored = self._store.places(self._others)
        others = [other for other in map(places.readable, stored) if other is not None]
        if len(others) < len(self._others):
            return False
        return all(_stays(lane, newest.release.space) for lane in (place, *others)) or all(
            keeps_index(other, newest) for other in others
        )

    def _filled(self, sweep: Sweep, day: date | None) -> dict[str, AngleOf]:
        return {space: self._angle_by(self._scorer(version), day) for space, version in sweep.filling.items()}

    def _angle_by(self, scorer: Scorer, day: date | None) -> AngleOf:
        def angle_of(state: UserState) -> float | None:
            if not state.facts.alive:
                return None
            return angle(scorer.score(features(state, self._rules, day)).components)

        return angle_of

    def _scorer(self, version: str) -> Scorer:
        if version not in self._scorers:
            release = self._release(version)
            if release is None:
                raise NotReady(
                    f"release {version} is not known any more, but the lane fills its index: publish it again"
                )
            self._scorers[version] = Scorer(release)
        return self._scorers[version]

    def _release(self, version: str) -> ModelRelease | None:
        try:
            return self._models.release_by_version(version)
        except BadRelease:
            return None


def _stays(place: Place, space: str) -> bool:
    """Whether the lane has the index of this space, and fills no other one."""
    return place.sweep.space == space and not place.sweep.filling and has_index(place, space)
