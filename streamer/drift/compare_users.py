"""Compare users of today with the profile of the training users. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from msgspec import UnsetType

from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import FeatureProfile
from schemas.release.stability_index import chance_of, psi, threshold_of
from streamer.segment.active_model import ActiveModel
from streamer.status.drift_status import DriftStatus, FeatureDrift
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import UserState


def drift_of(
    model: ActiveModel, states: Iterable[UserState], rules: Rules, day: date | None, at: datetime
) -> DriftStatus | None:
    """Compare users with those that a release was trained on; None if the release has no profile of them.

    As in training, the index is over the users with a counted order and every feature of the model. Here, a
    value that training never saw counts as a value.

    Args:
        model: the release in use.
        states: a sample of the users.
        rules: the settings that make features.
        day: the day of features of time; None only if no declared feature reads it.
        at: when the users were read.
    """
    profiles = model.release.profile
    if isinstance(profiles, UnsetType):
        return None
    users, compared, provisional = 0, 0, 0
    counts = {profile.name: [0] * len(profile.counts) for profile in profiles}
    absent: Counter[str] = Counter()
    unseen: Counter[str] = Counter()
    for state in states:
        if not state.facts.alive:
            continue
        values = features(state, rules, day)
        missing = model.scorer.score(values).missing
        users += 1
        provisional += bool(missing)
        lacking = [name for name in missing if not isinstance(values.get(name), str)]
        for name in missing:
            (absent if name in lacking else unseen)[name] += 1
        if lacking or not state.facts.counted:
            continue
        compared += 1
        for profile in profiles:
            counts[profile.name][bin_of(profile, values[profile.name])] += 1

    def judged(profile: FeatureProfile) -> FeatureDrift:
        name, found = profile.name, counts[profile.name]
        shares = (absent[name] / max(users, 1), unseen[name] / max(users, 1))
        if not compared:
            return FeatureDrift(name, None, None, *shares)
        return FeatureDrift(name, *index_of(profile, found), *shares)

    return DriftStatus(
        version=model.release.version,
        activation=model.activation,
        at=at,
        users=users,
        compared=compared,
        provisional=provisional / max(users, 1),
        features=tuple(map(judged, profiles)),
    )


def index_of(profile: FeatureProfile, counts: Sequence[int]) -> tuple[float, float]:
    """The index between the training users and these, and its threshold.

    Args:
        profile: the training users by bin.
        counts: the users of today by bin; at least one user.
    """
    chance = chance_of(profile.chance, sum(counts), sum(profile.counts))
    return psi(profile.counts, counts), threshold_of(chance)


def bin_of(profile: FeatureProfile, value: FeatureValue) -> int:
    """The place of the bin that a value lies in; the value is not None."""
    if isinstance(value, str):
        return profile.values.index(value) if value in profile.values else len(profile.values)
    assert value is not None
    return bisect_left(profile.ends, value)
