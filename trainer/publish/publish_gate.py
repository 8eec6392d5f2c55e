"""What keeps a release from becoming current: users whom it would move, and a history that does not fit."""

from __future__ import annotations

from schemas.counted import counted
from schemas.release.model_release import ModelRelease
from trainer.publish.release_history import Published
from trainer.release.impact import Impact

MAX_MOVED = 0.05
"""The share of users that a release may move by itself."""


def history_problem(release: ModelRelease, known: Published) -> str | None:
    """Why a release cannot follow the one in use: ids of segments would come to mean something else.

    A release that was published before fits: what its ids mean is known.
    """
    if known.current is None or known.by_version(release.version) is not None:
        return None
    current = known.current.release
    if release.continues != current.version:
        made_for = "as a first one" if release.continues is None else f"to follow {release.continues}"
        return (
            f"release {release.version} was trained {made_for}, but {current.version} is current, and the ids of their "
            "segments do not mean the same: train again, which continues the current release"
        )
    kept = {segment.id for segment in current.segments}
    new = {segment.id for segment in release.segments} - kept
    for each in known.releases:
        again = new & {segment.id for segment in each.release.segments}
        if again:
            return (
                f"release {release.version} gives the id {min(again)} to a new segment, which release "
                f"{each.release.version} has given to another: train again, with Kafka at hand"
            )
    return None


def refusal(
    release: ModelRelease, impact: Impact | None, unreadable: str | None, max_moved: float
) -> str | None:
    """Why a release should not become current without a person who says so; None where nothing speaks against it.

    Args:
        release: the new one.
        impact: against the release in use; None where there is none.
        unreadable: why the release in use cannot be read, where it cannot.
        max_moved: the share of users, 0 to 1, that it may move by itself.
    """
    if unreadable is not None:
        return (
            f"whom release {release.version} would move cannot be told, since the current one cannot be read "
            f"({unreadable}): publish it with --force"
        )
    if impact is None:
        return None
    if impact.by_model is None:
        return (
            f"whom release {release.version} would move cannot be told, since {impact.current}, which is current, takes "
            "other features: look at the report, then publish it with --force"
        )
    moves = impact.by_model
    if moves.share <= max_moved:
        return None
    return (
        f"release {release.version} would move {moves.moved:,} of {counted(moves.users, 'user')} ({moves.share:.1%}) from their "
        f"segment by itself, and the limit is {max_moved:.1%}: look at the pairs, then publish it with --force or "
        "another --max-moved"
    )
