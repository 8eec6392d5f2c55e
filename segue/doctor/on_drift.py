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
from streamer.status.drift_status import DriftStatus

UNSEEN = 0.05
"""A larger share of users with values that training never saw is worth a retrain."""
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
    if isinstance(model.release.profile, UnsetType):
        text = f"release {model.release.version} does not say how its training users were spread"
        return [Check("drift", OK, text)]
    rules, now = rules_of(settings), datetime.now(UTC)
    try:
        users = sample_users(
            settings.redis,
            settings.redis_prefix,
            range(lanes),
            Random(),
            timeout_s=_DEADLINE_S,
        )
        found = drift_of(model, users, rules, date_of(rules, now), now)
    except SegueError:
        return []
    return [] if found is None else [drift_check(found)]


def drift_check(found: DriftStatus) -> Check:
    """The check's line for a comparison."""
    if not found.compared:
        text = f"no user to compare: {counted(found.users, 'user')} in the sample, none with every feature"
        return Check("drift", OK, text)
    drifted = [f"{each.name} (PSI {each.psi:.2f}, threshold {each.threshold:.2f})" for each in found.drifted]
    unseen = [
        f"{each.name} ({each.unseen:.0%} of the users)" for each in found.features if each.unseen > UNSEEN
    ]
    told = []
    if drifted:
        told.append(f"not as in training: {', '.join(drifted)}")
    if unseen:
        told.append(f"values that training never saw: {', '.join(unseen)}")
    sample = f"{counted(found.compared, 'user')} compared; {found.provisional:.0%} are provisional"
    if told:
        return Check("drift", WARN, f"{'; '.join(told)}; {sample}", _RETRAIN)
    return Check("drift", OK, f"the users are as in training: {sample}")
