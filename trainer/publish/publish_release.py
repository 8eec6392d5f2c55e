"""Publishes a release: uploads its files to a store and writes its numbers to Kafka for the workers."""

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
from trainer.release.impact import Impact, compared, impact_and_drift_in
from trainer.release.release_folder import ASSIGNMENTS, REPORT, load_release, read_manifest
from trainer.release.upload_release import place_of, upload
from trainer.steps.batch_scorer import can_score, score


@dataclass(frozen=True, slots=True)
class Plan:
    """The effects of publishing a release.

    Attributes:
        folder: the release's folder, verified.
        release: its numbers.
        created_at: the time when it was made, RFC 3339.
        known: the releases published so far.
        impact: the comparison with the release in use; None if there is none, or if it is this release.
        drift: likewise; also None if the training users of the release in use are not available.
        refusal: why the release must not be published without ``--force``; None if it may.
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
        """The version in use if publishing goes back from it to an earlier release; else None."""
        current = self.known.current
        if current is None or self.known.by_version(self.release.version) in (None, current):
            return None
        return current.release.version

    def is_done(self, to: str | None) -> bool:
        """Whether the release is already current, and already uploaded to ``to``.

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
    """Verify a release's folder and compare it with the release in use; write nothing.

    Args:
        folder: the release's folder.
        topic: the topic of releases.
        max_moved: the share of the users that the release may move, 0 to 1.
        artifacts_prefix: files of the release in use may be read below this address; empty: none are read.

    Raises:
        BadRelease: the folder is damaged, or the release does not follow the release in use.
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
    """Make the release current; return its activation.

    1. Create the topic if it is missing: one partition, compacted.
    2. Copy the folder to ``to``, and set ``artifacts_uri``.
    3. End any open transaction of another publisher, and check that the release in use is still the release
       that the plan was compared with.
    4. In one transaction, write the release under its version and under ``current``.

    A crash before 4 is committed changes nothing for any worker. Publishing the same release again activates
    it again and changes no user's segment.

    Args:
        plan: the plan to carry out.
        topic: the topic of releases.
        topics: the names of the topics.
        to: the URL or path of a directory, for fsspec; None: copy nothing.
        force: publish even if the plan has a refusal.
        at: the time in the records' headers; None: now.

    Returns:
        The activation: the offset of the ``current`` record.

    Raises:
        Refused: the plan has a refusal, and ``force`` is not set.
        BadRelease: the release is too large for a record, or another release became current meanwhile.
        BadSetting: ``to`` cannot be used.
        BadTopics: the topic exists with wrong settings.
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
    # Prefer the report's drift: it includes users whom the training left out for values new to the kept
    # space. Only the training had the warehouse, which tells time apart where the model has windows.
    trained, reported = impact_and_drift_in((folder / REPORT).read_bytes())
    if impact is not None and impact.by_time is None and trained is not None:
        impact = impact.with_time_of(trained)
    return impact, reported if reported is not None and reported.current == current.version else drift
