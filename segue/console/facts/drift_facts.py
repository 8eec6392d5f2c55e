"""Drift as the console shows it: `segue doctor`'s line, with each feature. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from segue.doctor.check import OK
from segue.doctor.on_drift import drift_check, verdict_of
from streamer.segment.active_model import ActiveModel
from streamer.status.drift_status import DriftStatus, FeatureDrift


class FeatureVerdict(FeatureDrift, frozen=True):
    """The drift of one feature, in words: whether the users are as in training."""

    verdict: str


class DriftFacts(Struct, frozen=True):
    """A sample of the users, compared with the training users of the release in use.

    Attributes:
        state: ``ok``, or ``warn`` if a retrain is worth it.
        text: what was found.
        fix: what to do; None if there is nothing to do.
        version: the release in use; None if there is none.
        read_at: when the users were read; None if nothing was compared.
        users: how many users were sampled.
        compared: how many of them have an order and every feature, and were compared.
        provisional: the share of the sampled users who lack a feature.
        features: the features of the model, in its order.
    """

    state: str
    text: str
    fix: str | None
    version: str | None
    read_at: datetime | None = None
    users: int = 0
    compared: int = 0
    provisional: float = 0.0
    features: tuple[FeatureVerdict, ...] = ()


def drift_facts(model: ActiveModel | None, found: DriftStatus | None) -> DriftFacts:
    """Put a comparison and what doctor says of it together.

    Args:
        model: the release in use; None if there is none.
        found: what was found; None if there is no release, or if it has no profile of its training users.
    """
    if model is None:
        return DriftFacts(OK, "no release is in use, so there are no training users to compare", None, None)
    version = model.release.version
    check = drift_check(version, found)
    if found is None:
        return DriftFacts(check.state, check.text, check.fix, version)
    features = tuple(
        FeatureVerdict(each.name, each.psi, each.threshold, each.absent, each.unseen, verdict_of(each))
        for each in found.features
    )
    return DriftFacts(
        check.state,
        check.text,
        check.fix,
        version,
        found.at,
        found.users,
        found.compared,
        found.provisional,
        features,
    )
