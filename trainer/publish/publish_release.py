"""Publish a release: its files to a store, its numbers to Kafka, where workers find them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from msgspec.structs import replace

from schemas.errors import BadRelease, Refused
from schemas.release.model_release import ModelRelease
from schemas.topics import Topics
from trainer.controls.drift import Drift
from trainer.publish.activate import activate
from trainer.publish.publish_gate import MAX_MOVED, history_problem, refusal
from trainer.publish.release_history import Publication, Published, published
from trainer.publish.releases_topic import ReleasesTopic
from trainer.release.current_release import Current, published_assignments
from trainer.release.impact import Impact, compared, told_in
from trainer.release.release_folder import ASSIGNMENTS, REPORT, load_release, read_manifest
from trainer.release.upload_release import place_of, upload
from trainer.steps.batch_scorer import can_score, score


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing a release would do.

    Attributes:
        folder: the release's, verified.
        release: its numbers.
        created_at: when it was made, RFC 3339.
        known: what is published now.
        impact: against the release in use; None where there is none, or it is this one.
        drift: likewise, and None where the training users of the one in use are not at hand.
        refusal: why it should not be published without a person who says so.
    """

    folder: Path
    release: ModelRelease
    created_at: str
    known: Published
    impact: Impact | None
    drift: Drift | None
    refusal: str | None

    @property
    def goes_back_from(self) -> str | None:
        """The version in use, where the release was published before and is not that one; None else."""
        current = self.known.current
        if current is None or self.known.by_version(self.release.version) in (None, current):
            return None
        return current.release.version

    def is_done(self, to: str | None) -> bool:
        """Whether the release is current already, and lies where it should be copied to.

        Raises:
            BadSetting: ``to`` cannot be used.
        """
        current = self.known.current
        if current is None or current.release.version != self.release.version:
            return False
        return to is None or place_of(self.release.version, to) == current.release.artifacts_uri


def plan_publish(
    folder: Path, topic: ReleasesTopic, *, max_moved: float = MAX_MOVED, artifacts_prefix: str = ""
) -> Plan:
    """Verify a release's folder and compare it with the release in use; writes nothing.

    Args:
        folder: the release's.
        topic: where it would be published.
        max_moved: the share of the users whom it may move.
        artifacts_prefix: the address below which the files of the one in use may be read; empty reads none.

    Raises:
        BadRelease: the folder is damaged, or the release does not follow the one in use.
        Unreachable: Kafka does not answer.
    """
    release = load_release(folder)
    known = published(topic.read())
    problem = history_problem(release, known)
    if problem is not None:
        raise BadRelease(problem)
    impact, drift = _compared(folder, release, known, artifacts_prefix)
    refused = refusal(release, impact, known.problem, max_moved)
    return Plan(folder, release, read_manifest(folder).created_at, known, impact, drift, refused)


def carry_out(
    plan: Plan,
    topic: ReleasesTopic,
    topics: Topics,
    to: str | None = None,
    *,
    force: bool = False,
    at: datetime | None = None,
) -> int:
    """Make the release the current one; gives its activation, the offset of its ``current`` record.

    1. Make the topic when it is missing: one partition, compacted.
    2. Copy the folder to ``to``, and note where in ``artifacts_uri``.
    3. End what another publisher has begun, and see that the release in use is still the one compared with.
    4. In one transaction write the release under its version and under ``current``.

    Where it ends before 4 is committed, nothing has changed for any worker. To publish again is to
    activate again, and changes nobody's segment.

    Args:
        plan: what to do.
        topic: where to.
        topics: the names of the topics.
        to: a directory's URL or path for fsspec; None copies nothing.
        force: also where the plan says why not.
        at: the time in the records' headers; now, when None.

    Raises:
        Refused: it would move too many users.
        BadRelease: the release is too large for a record, or another one became current meanwhile.
        BadSetting: ``to`` cannot be used.
        BadTopics: the topic exists and is not as it has to be.
        Unreachable: Kafka or the store does not answer, or refuses.
    """
    if plan.refusal is not None and not force:
        raise Refused(plan.refusal)
    topic.ensure()
    release = plan.release
    if to is not None:
        release = replace(release, artifacts_uri=upload(plan.folder, release.version, to))
    return activate(Publication(release, plan.created_at, None), plan.known, topic, topics, at=at)


def _compared(
    folder: Path, release: ModelRelease, known: Published, artifacts_prefix: str
) -> tuple[Impact | None, Drift | None]:
    if known.current is None or known.current.release.version == release.version:
        return None, None
    current = known.current.release
    users = pq.read_table(io.BytesIO((folder / ASSIGNMENTS).read_bytes()))
    before = score(current, users).segments if can_score(current, users, release.declared) else None
    impact, drift = compared(
        Current(current, known.next_segment, published_assignments(current, folder.parent, artifacts_prefix)),
        release,
        users,
        before,
        np.asarray(users["segment"], dtype=np.int64),
        users,
    )
    # The training has seen the users, too, whom it left out for values that the kept space does not know.
    _, told = told_in((folder / REPORT).read_bytes())
    return impact, told if told is not None and told.current == current.version else drift
