"""The pages, and the pieces of them that the script renews."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from schemas.errors import SegueError
from schemas.features import FEATURE_NAMES
from schemas.outputs.segment_change import Change
from segue.config.command_line import BadUsage
from segue.console.facts.console_facts import ConsoleFacts
from segue.console.shown.counted_words import counted_words
from segue.console.shown.form_fields import declared_of, form_fields
from segue.console.shown.hour_charts import hour_charts
from segue.console.shown.segment_volatility import with_volatility
from segue.console.shown.shown_card import ShownCard, shown_card
from segue.console.shown.shown_release import names_ever
from segue.console.viewers.change_hub import ChangeHub
from segue.console.viewers.change_stream import MEDIA_TYPE, fragment_event
from segue.console.web.api_routes import flow_now, status_of
from segue.console.web.known_parameters import check_names
from segue.console.web.page_templates import Pages, rendered
from segue.console.web.web_errors import sentence_of
from segue.show.user_card import UserCard


def page_routes(facts: ConsoleFacts, hub: ChangeHub, pages: Pages) -> APIRouter:
    """Return the routes of the pages.

    Args:
        facts: what is shown.
        hub: the changes as they happen.
        pages: renders them.
    """
    routes = APIRouter(include_in_schema=False)
    page = pages.page

    @routes.get("/")
    def live() -> Response:
        return page("live", "Live", changes=hub.newest(), **_figures(facts, hub))

    @routes.get("/live/figures")
    def figures() -> Response:
        return HTMLResponse(rendered("figures", **_figures(facts, hub)))

    @routes.get("/live/changes")
    async def changes() -> Response:
        viewer = hub.join(lambda _change: True, _fragment)
        return StreamingResponse(hub.events(viewer), media_type=MEDIA_TYPE)

    @routes.get("/user")
    def user(request: Request) -> Response:
        check_names(request.query_params, ["id"])
        user_id = request.query_params.get("id", "")
        if not user_id:
            return page("find_user", "Find a user")
        card, left_out = facts.user(user_id)
        return page("user", f"User {user_id}", shown=_shown(card, facts), left_out=left_out)

    @routes.get("/predict")
    def predict(request: Request) -> Response:
        release, given = facts.release(), request.query_params
        fields = form_fields(release, given)
        if not given:
            return page("predict", "What if", fields=fields, shown=None, problem=None)
        texts = {name: given.get(name) for name in FEATURE_NAMES}
        try:
            check_names(given, [field.name for field in fields])
            card = facts.imagined(texts, declared_of(release, given))
        except BadUsage as error:
            return page("predict", "What if", 422, fields=fields, shown=None, problem=sentence_of(error))
        return page("predict", "What if", fields=fields, shown=_shown(card, facts), problem=None)

    return routes


def _figures(facts: ConsoleFacts, hub: ChangeHub) -> dict[str, Any]:
    flow, hours, now = flow_now(facts, hub), facts.hours(), datetime.now(UTC)
    segments = with_volatility(facts.segments(), flow)
    names = names_ever(facts.releases())
    drift, drift_problem = None, None
    try:
        drift = facts.drift()
    except SegueError as error:  # all other figures stay
        drift_problem = sentence_of(error)
    return {
        "drift": drift,
        "drift_problem": drift_problem,
        "segments": segments,
        "now": status_of(facts, hub),
        "flow": flow,
        "counted": counted_words(flow, hours, now),
        "charts": hour_charts(hours, now),
        "moved": {each.id: each for each in flow.segments},
        "names": names,
    }


def _fragment(change: Change) -> bytes:
    return fragment_event(rendered("change", change=change))


def _shown(card: UserCard, facts: ConsoleFacts) -> ShownCard:
    try:
        release = facts.release()
    except SegueError:
        return shown_card(card, None)
    return shown_card(card, release, facts.folder().scatter(release))
