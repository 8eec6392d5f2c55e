"""The HTTP API: what the pages show, for programs, as the commands print it with --json."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from schemas.errors import BadSetting
from schemas.features import FEATURE_NAMES
from schemas.outputs.segment_change import Change
from segue.console.facts.console_facts import ConsoleFacts
from segue.console.facts.drift_facts import DriftFacts
from segue.console.facts.segment_counts import SegmentCounts
from segue.console.moves.flow_facts import Flow, Hours
from segue.console.shown.segment_volatility import with_hourly_volatility, with_volatility
from segue.console.viewers.change_hub import ChangeHub
from segue.console.viewers.change_stream import MEDIA_TYPE, change_event
from segue.console.web.api_schemas import (
    ImaginedUser,
    Status,
    User,
    answers,
    problems,
)
from segue.console.web.known_parameters import check_parameters
from segue.show.json_line import json_line
from segue.show.releases_text import place_of
from segue.subscribe.change_filter import ChangeFilter
from segue.subscribe.segment_by_name import segment_number

Kind = Literal["moved", "confirmed", "unconfirmed", "erased"]
LONGEST = 1_024
_Text = Annotated[str | None, Query(max_length=LONGEST)]


def json_answer(value: object) -> Response:
    """Return an answer with the same JSON as a command's."""
    return Response(json_line(value), media_type="application/json")


def api_routes(facts: ConsoleFacts, hub: ChangeHub) -> APIRouter:
    """Return the routes of the API.

    Args:
        facts: what is shown.
        hub: the changes as they happen.
    """
    api = APIRouter(prefix="/api", dependencies=[Depends(check_parameters)])

    @api.get("/users/{user_id:path}", responses=answers(User, 404), response_class=Response)
    def user(user_id: str) -> Response:
        """A user: the segment, the reasons, similar users, and the history."""
        card, _ = facts.user(user_id)
        return json_answer(card.as_json())

    @api.get("/predict", responses=answers(ImaginedUser), response_class=Response)
    def predict(
        age: _Text = None,
        gender: _Text = None,
        country: _Text = None,
        traffic_source: _Text = None,
        total_orders: _Text = None,
        most_frequent_brand: _Text = None,
        most_frequent_category: _Text = None,
        feature: Annotated[list[str] | None, Query(description="NAME=VALUE of a declared feature")] = None,
    ) -> Response:
        """The segment of an imagined user. A feature without a value is missing."""
        given = (
            age,
            gender,
            country,
            traffic_source,
            total_orders,
            most_frequent_brand,
            most_frequent_category,
        )
        card = facts.imagined(dict(zip(FEATURE_NAMES, given, strict=True)), feature or ())
        return json_answer(card.as_json())

    @api.get("/segments", responses=answers(SegmentCounts), response_class=Response)
    def segments() -> Response:
        """The segments with their users now, and their volatility."""
        return json_answer(with_volatility(facts.segments(), flow_now(facts, hub)))

    @api.get("/flow", responses=answers(Flow), response_class=Response)
    def flow() -> Response:
        """Who went from which segment to which in the last hour."""
        return json_answer(flow_now(facts, hub))

    @api.get("/hours", responses=answers(Hours), response_class=Response)
    def hours() -> Response:
        """Who entered and left each segment, by hour, of the last seven days; from `segue flow`."""
        return json_answer(with_hourly_volatility(facts.hours(), facts.segments()))

    @api.get("/drift", responses=answers(DriftFacts), response_class=Response)
    def drift() -> Response:
        """How a sample of the users differs from the training users, and whether a retrain is worth it."""
        return json_answer(facts.drift())

    @api.get("/status", responses=answers(Status), response_class=Response)
    def status() -> Response:
        """The release in use, the lanes and the rate of changes."""
        return json_answer(status_of(facts, hub))

    @api.get(
        "/changes",
        responses={200: {"content": {MEDIA_TYPE: {}}}, **problems(429)},
        response_class=StreamingResponse,
    )
    async def changes(
        segment: Annotated[
            str | None, Query(max_length=LONGEST, description="a segment's number, or its name")
        ] = None,
        kind: Kind | None = None,
    ) -> StreamingResponse:
        """The changes as they happen, as server-sent events `change`; the last event, `end`, says why."""
        number = None if segment is None else await run_in_threadpool(_number, segment, facts)
        wanted = ChangeFilter(number, provisional=True)

        def wants(change: Change) -> bool:
            return kind in {None, change.kind} and wanted.wants(None, change)

        viewer = hub.join(wants, change_event)
        return StreamingResponse(hub.events(viewer), media_type=MEDIA_TYPE)

    return api


def flow_now(facts: ConsoleFacts, hub: ChangeHub) -> Flow:
    """Return the moves of the last hour, from the tables of `segue flow` if it ever ran."""
    return facts.flow() or hub.flow()


def status_of(facts: ConsoleFacts, hub: ChangeHub) -> Status:
    """Return how Segue does."""
    lanes, segments = facts.lanes(), facts.segments()
    problems = [each for each in (facts.release_problem(), lanes.problem) if each is not None]
    return Status(
        segments.version,
        None if segments.version is None else place_of(facts.releases(), segments.version),
        segments.activation,
        "; ".join(problems) or None,
        lanes.lanes,
        lanes.workers,
        lanes.behind,
        lanes.dead_letters,
        hub.in_last_minute(),
    )


def _number(segment: str, facts: ConsoleFacts) -> int:
    if segment.isascii() and segment.isdecimal():
        known = {str(each.id) for made in facts.releases().releases for each in made.release.segments}
        if known and (segment.lstrip("0") or "0") not in known:
            raise BadSetting("segment", segment, "no published release has a segment of this number")
        return int(segment)
    return segment_number(segment, facts.release())
