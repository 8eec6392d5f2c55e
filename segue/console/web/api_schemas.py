"""The types of the API's answers, for OpenAPI. They describe what the commands print with --json."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from msgspec import UNSET, Struct, UnsetType

from schemas.outputs.segment_change import (
    AwareTime,
    FeatureValue,
    SegmentChange,
    SimilarUser,
    UserErasedChange,
)
from segue.console.facts.console_files import Impact
from segue.console.facts.drift_facts import DriftFacts
from segue.console.facts.segment_counts import SegmentCounts
from segue.console.facts.trigger_counts import TriggerCounts
from segue.console.moves.flow_facts import Flow, Hours
from segue.rehearsal.kept_rehearsal import KeptRehearsal
from segue.show.user_card import NextMove
from segue.show.user_moves import UserMoves
from segue.triggers.report.holdout_numbers import HoldoutReport

_REF = "#/components/schemas/{name}"


class Problem(Struct):
    """What is wrong, in one sentence."""

    error: str


class HistoryEntry(Struct):
    """When and why a user entered a segment.

    The order is that of ``sequence``. ``at`` is the time of the cause; it goes back where an older event came
    later.
    """

    sequence: int
    at: AwareTime
    segment: int
    segment_name: str
    previous_segment: int | None
    model_version: str
    cause_type: str
    topic: str | None
    partition: int | None
    offset: int | None


class ImaginedUser(Struct, kw_only=True):
    """An imagined user: as ``segue predict --json``."""

    features: dict[str, FeatureValue]
    components: tuple[float, ...] | None
    segment: int | None
    segment_name: str | None
    provisional: bool
    missing: tuple[str, ...]
    model_version: str | None
    distance: float | UnsetType = UNSET
    margin: float | UnsetType = UNSET
    moves: UserMoves | UnsetType = UNSET
    similar_users: tuple[SimilarUser, ...] | UnsetType = UNSET


class User(ImaginedUser, kw_only=True):
    """A user: as ``segue user ID --json``."""

    user_id: str
    sequence: int | UnsetType = UNSET
    activation: int | UnsetType = UNSET
    positions: dict[str, int] | UnsetType = UNSET
    day: date | UnsetType = UNSET
    next_move: NextMove | UnsetType = UNSET
    history: tuple[HistoryEntry, ...] | UnsetType = UNSET


class ReleasedSegment(Struct):
    """A segment of a release, and how many training users it has."""

    id: int
    name: str
    size: int


class Release(Struct):
    """A published release: as a line of ``segue releases --json``."""

    place: int | None
    version: str
    current: bool
    created_at: str | None
    published_at: str | None
    activations: tuple[int, ...]
    continues: str | None
    space: str
    segments: tuple[ReleasedSegment, ...]
    users_read: int
    users_used: int
    as_of: str | None
    metrics: dict[str, float]
    artifacts_uri: str | None


class Releases(Struct):
    """The published releases, the current one first."""

    problem: str | None
    releases: tuple[Release, ...]


class ReleaseWithImpact(Release):
    """A release, whom it moves against the release that it was trained to follow, and its rehearsal."""

    published: bool
    impact: Impact | None
    rehearsal: KeptRehearsal | None


class DeadLetter(Struct, kw_only=True):
    """An input that could not be applied: as a line of ``segue dead-letters list --json``.

    Keys and values of more than 2,000 bytes are cut. Without UTF-8 they stand in ``key_base64`` and
    ``value_base64``.
    """

    place: str
    reason: str
    topic: str
    partition: int
    offset: int
    written_at: AwareTime
    refused_at: AwareTime
    retry_of: str | None
    cut: bool
    key: str | UnsetType | None = UNSET
    key_base64: str | UnsetType = UNSET
    value: str | UnsetType | None = UNSET
    value_base64: str | UnsetType = UNSET


class DeadLetterList(Struct):
    """How many dead letters there are, and the chosen of the newest 2,000."""

    count: int
    read_at: AwareTime
    letters: tuple[DeadLetter, ...]


class Triggers(Struct):
    """What the triggers did; null if they never ran."""

    counts: TriggerCounts | None


class Lift(Struct):
    """What each trigger with a holdout changed: as the lines of ``segue triggers report --json``."""

    reports: tuple[HoldoutReport, ...]


class Status(Struct):
    """How Segue does: the release, the lanes and the changes.

    Attributes:
        place: the release's place in the list of ``segue releases``.
        problem: what is wrong with the release or the lanes, as a sentence; null if nothing is.
    """

    version: str | None
    place: int | None
    activation: int | None
    problem: str | None
    lanes: int
    workers: int
    behind: int
    dead_letters: int
    changes_in_last_minute: int


_TYPES = (
    Problem,
    User,
    ImaginedUser,
    Releases,
    ReleaseWithImpact,
    SegmentCounts,
    DriftFacts,
    SegmentChange,
    UserErasedChange,
    Status,
    DeadLetterList,
    Triggers,
    Lift,
    Flow,
    Hours,
)


def answers(type_: type[Struct], *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's answers for FastAPI: the type, and a problem for each of the other statuses.

    Args:
        type_: the type of the answer with status 200.
        statuses: the other statuses that the route may answer with; 401, 422 and 503 are always there.
    """
    return {
        200: {"content": {"application/json": {"schema": {"$ref": _REF.format(name=type_.__name__)}}}},
        **problems(*statuses),
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the answers with a problem for FastAPI; see :func:`answers`."""
    content = {"application/json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {
        status: {"description": _WORDS[status], "content": content} for status in (401, *statuses, 422, 503)
    }


_WORDS = {
    401: "The token is missing or wrong.",
    404: "There is no such user, or no such release.",
    422: "A parameter cannot be used.",
    429: "There are too many viewers.",
    503: "Kafka or Redis does not answer, or there is no release.",
}


def describe_api(app: FastAPI) -> None:
    """Add the answers' types to the app's OpenAPI document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            _, components = msgspec.json.schema_components(_TYPES, ref_template=_REF)
            made["components"] = {
                "schemas": components,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            }
            made["security"] = [{}, {"token": []}]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend it
