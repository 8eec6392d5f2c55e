"""The API keeps what its OpenAPI document promises, for made-up requests: statuses, types and headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from segue.console.viewers.change_hub import ChangeHub
from tests.support.worlds.made_up_console import FLOW, HOURS, MadeUpFacts, MadeUpFeed, made_up_app

FACTS = MadeUpFacts(moves=FLOW, by_hour=HOURS)
FACTS.cards = {
    "7": replace(FACTS.imagined({"age": "34"}, ()), user_id="7", sequence=1, positions={"orders": 3})
}
APP = made_up_app(FACTS, ChangeHub(MadeUpFeed().open()))


@asynccontextmanager
async def without_a_feed(_app: FastAPI) -> AsyncIterator[None]:
    yield


APP.router.lifespan_context = without_a_feed  # the library opens the app for each request
HERE = {"Host": "localhost"}

# A stream has no end; test_api_routes.py reads one.
DOCUMENT = schemathesis.openapi.from_asgi("/api/openapi.json", APP, headers=HERE).exclude(path="/api/changes")


@DOCUMENT.parametrize()
@settings(max_examples=25)
def test_every_answer_is_one_that_the_document_promises(case: schemathesis.Case[Any]) -> None:
    # Ages and the like are texts in the document, and Segue's own rules check them.
    case.call_and_validate(headers=HERE, excluded_checks=[positive_data_acceptance])


def test_the_objects_are_those_that_the_document_promises() -> None:
    """Made-up requests seldom name a user who is there."""
    client = TestClient(APP, base_url="http://localhost")
    for path, filled in (
        ("/api/users/{user_id}", "/api/users/7"),
        ("/api/predict", "/api/predict?age=34&gender=F"),
        ("/api/segments", "/api/segments"),
        ("/api/releases", "/api/releases"),
        ("/api/status", "/api/status"),
        ("/api/releases/{version}", f"/api/releases/{FACTS.release().version}"),
        ("/api/dead-letters", "/api/dead-letters?reason=150"),
        ("/api/triggers", "/api/triggers"),
        ("/api/triggers/lift", "/api/triggers/lift"),
        ("/api/flow", "/api/flow"),
        ("/api/hours", "/api/hours"),
        ("/api/drift", "/api/drift"),
    ):
        answer = client.get(filled)
        assert answer.status_code == 200
        DOCUMENT[path]["GET"].validate_response(answer)
