"""The HTTP API of operators: releases, dead letters and triggers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from segue.console.facts.console_facts import ConsoleFacts
from segue.console.shown.shown_release import shown_release
from segue.console.web.api_routes import LONGEST, json_answer
from segue.console.web.api_schemas import DeadLetterList, Lift, Releases, ReleaseWithImpact, Triggers, answers
from segue.console.web.known_parameters import check_parameters
from segue.events.dead_letter_topic import Selection
from segue.show.releases_text import releases_as_json


def operator_api(facts: ConsoleFacts) -> APIRouter:
    """Return the routes of this part of the API.

    Args:
        facts: what is shown.
    """
    api = APIRouter(prefix="/api", dependencies=[Depends(check_parameters)])

    @api.get("/releases", responses=answers(Releases), response_class=Response)
    def releases() -> Response:
        """The published releases, the current one first."""
        known = facts.releases()
        return json_answer({"problem": known.problem, "releases": list(releases_as_json(known))})

    @api.get("/releases/{version}", responses=answers(ReleaseWithImpact, 404), response_class=Response)
    def release(version: str) -> Response:
        """A release: published, or only in the console's folder of releases; and whom it moves."""
        shown = shown_release(facts, version)
        return json_answer(
            {
                **shown.fields,
                "published": shown.is_published,
                "impact": shown.impact,
                "rehearsal": shown.rehearsal,
            }
        )

    @api.get("/dead-letters", responses=answers(DeadLetterList), response_class=Response)
    def dead_letters(
        reason: Annotated[str | None, Query(max_length=LONGEST, description="a part of the reason")] = None,
        topic: Annotated[str | None, Query(max_length=LONGEST, description="the input's topic")] = None,
    ) -> Response:
        """The newest inputs that could not be applied."""
        found = facts.letters()
        chosen = found.chosen(Selection(reason=reason, topic=topic))
        letters = [letter.as_json() for letter in chosen]
        return json_answer({"count": found.count, "read_at": found.read_at, "letters": letters})

    @api.get("/triggers", responses=answers(Triggers), response_class=Response)
    def triggers() -> Response:
        """What the triggers did; null if they never ran."""
        return json_answer({"counts": facts.triggers()})

    @api.get("/triggers/lift", responses=answers(Lift), response_class=Response)
    def lift() -> Response:
        """What each trigger with a holdout changed; 422 if the console has no warehouse."""
        return json_answer({"reports": facts.lift()})

    return api
