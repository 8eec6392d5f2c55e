"""The gate: why a release must not become current (too many moved users, or a history that does not fit)."""

from __future__ import annotations

from schemas.counted import counted
from schemas.release.model_release import ModelRelease
from trainer.publish.release_history import Published
from trainer.release.impact import Impact

MAX_MOVED = 0.05
"""The share of users that a release may move by its model without ``--force``."""


def history_problem(release: ModelRelease, known: Published) -> str | None:
    """Why a release cannot follow the release in use; None if it can.

    A release that does not fit would give segment ids another meaning. A release that was published before
    always fits, because the meaning of its ids is known.
    """
    if known.current is None or known.by_version(release.version) is not None:
        return None
    current = known.current.release
    if release.continues != current.version:
        made_for = "as a first release" if release.continues is None else f"to follow {release.continues}"
        return (
            f"release {release.version} was trained {made_for}, but {current.version} is current, and the "
            "ids of their segments do not mean the same: train again, which continues the current release"
        )
    kept = {segment.id for segment in current.segments}
    new = {segment.id for segment in release.segments} - kept
    for each in known.releases:
        again = new & {segment.id for segment in each.release.segments}
        if again:
            return (
                f"release {release.version} gives the id {min(again)} to a new segment, but release "
                f"{each.release.version} gave it to another segment: train again, connected to Kafka"
            )
    return None


def refusal(
    release: ModelRelease, impact: Impact | None, unreadable: str | None, max_moved: float
) -> str | None:
    """Why a release must not become current without ``--force``; None if it may.

    Args:
        release: the new release.
        impact: the comparison with the release in use; None without a release in use.
        unreadable: why the release in use cannot be read; None if it can.
        max_moved: the share of users, 0 to 1, that the release may move by its model.
    """
    if unreadable is not None:
        return (
            f"it is not known which users release {release.version} would move, since the current release "
            f"cannot be read ({unreadable}): publish it with --force"
        )
    if impact is None:
        return None
    if impact.by_model is None:
        return (
            f"it is not known which users release {release.version} would move, since the current release "
            f"{impact.current} uses other features: look at the report, then publish it with --force"
        )
    moves = impact.by_model
    if moves.share <= max_moved:
        return None
    limit = f"{100 * max_moved:g}%{', less than one user' if 0 < max_moved * moves.users < 1 else ''}"
    return (
        f"release {release.version} would move {moves.moved:,} of {counted(moves.users, 'user')} "
        f"({moves.share:.1%}) to another segment, and the limit is {limit}: look at the pairs, then "
        "publish it with --force or a higher --max-moved"
    )
