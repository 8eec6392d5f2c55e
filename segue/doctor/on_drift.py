"""Whether the users of today are still like those that the release in use was trained on."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from msgspec import UnsetType

from schemas.counted import counted
from schemas.errors import SegueError
from segue.config.settings import Settings
from segue.connect.lane_connections import rules_of
from segue.doctor.check import OK, WARN, Check
from streamer.drift.compare_users import drift_of
from streamer.drift.sample_users import sample_users
from streamer.segment.active_model import ActiveModel
from streamer.segment.lane_day import date_of
from streamer.status.drift_status import DriftStatus, FeatureDrift

UNSEEN = 0.05
"""A larger share of users with values that training never saw is worth a retrain."""
AS_IN_TRAINING, DRIFTED = "as in training", "not as in training"
NEW_VALUES, NOT_COMPARED = "values that training never saw", "not compared"
_DEADLINE_S = 5.0
_RETRAIN = "segue train --warehouse PATH, look at its report, then segue publish"


def check_drift(settings: Settings, lanes: int | None, model: ActiveModel | None) -> list[Check]:
    """Compare a random sample of the users in Redis with the training users; advise a retrain.

    Args:
        settings: Redis and the features.
        lanes: the number of lanes; None if it is not known.
        model: the release in use; None if there is none.

    Returns:
        One check; none if there is no release, or Redis does not answer, which another check says.
    """
    if model is None or lanes is None:
        return []
    try:
        found = sampled_drift(settings, lanes, model)
    except SegueError:
        return []
    return [drift_check(model.release.version, found)]


def sampled_drift(settings: Settings, lanes: int, model: ActiveModel) -> DriftStatus | None:
    """Compare a random sample of the users in Redis with the training users.

    Args:
        settings: Redis and the features.
        lanes: the number of lanes.
        model: the release in use.

    Returns:
        What was found; None if the release does not say how its training users were spread.

    Raises:
        Unreachable: Redis does not answer.
    """
    if isinstance(model.release.profile, UnsetType):
        return None
    rules, now = rules_of(settings), datetime.now(UTC)
    users = sample_users(settings.redis, settings.redis_prefix, range(lanes), Random(), timeout_s=_DEADLINE_S)
    return drift_of(model, users, rules, date_of(rules, now), now)


def drift_check(version: str, found: DriftStatus | None) -> Check:
    """The check's line for a comparison.

    Args:
        version: the release in use.
        found: what was found; None if the release does not say how its training users were spread.
    """
    if found is None:
        text = f"release {version} does not say how its training users were spread"
        return Check("drift", OK, text)
    if not found.compared:
        text = f"no user to compare: {counted(found.users, 'user')} in the sample, none with every feature"
        return Check("drift", OK, text)
    drifted = [f"{each.name} (PSI {each.psi:.2f}, threshold {each.threshold:.2f})" for each in found.drifted]
    unseen = [f"{each.name} ({each.unseen:.0%} of the users)" for each in found.features if _is_new(each)]
    told = []
    if drifted:
        told.append(f"{DRIFTED}: {', '.join(drifted)}")
    if unseen:
        told.append(f"{NEW_VALUES}: {', '.join(unseen)}")
    sample = f"{counted(found.compared, 'user')} compared; {found.provisional:.0%} are provisional"
    if told:
        return Check("drift", WARN, f"{'; '.join(told)}; {sample}", _RETRAIN)
    return Check("drift", OK, f"the users are {AS_IN_TRAINING}: {sample}")


def verdict_of(feature: FeatureDrift) -> str:
    """Say of one feature what :func:`drift_check` says of all."""
    if feature.psi is None:
        return NOT_COMPARED
    told = [*([DRIFTED] if feature.drifted else []), *([NEW_VALUES] if _is_new(feature) else [])]
    return "; ".join(told) or AS_IN_TRAINING


def _is_new(feature: FeatureDrift) -> bool:
    return feature.unseen > UNSEEN
