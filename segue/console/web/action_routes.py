"""The questions before an action, and the actions. Only people with the write token get here."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from schemas.errors import SegueError, Unreachable
from schemas.printable import printable
from segue.config.command_line import BadOption
from segue.console.access.gate import RIGHT, MayNot, check_origin
from segue.console.access.logins import Right
from segue.console.actions.console_actions import QUESTIONS, ActionName, ConsoleActions, Question
from segue.console.facts.console_facts import ConsoleFacts
from segue.console.shown.shown_release import shown_release
from segue.console.web.form_body import read_form
from segue.console.web.page_templates import Pages
from segue.console.web.web_errors import sentence_of

DO = "/do"


def check_right() -> None:
    """Check that a request may write.

    Raises:
        MayNot: it may not.
    """
    if RIGHT.get() < Right.WRITE:
        raise MayNot("this needs the console's write token: log in with it")


def action_routes(facts: ConsoleFacts, actions: ConsoleActions, pages: Pages) -> APIRouter:
    """Return the routes of the actions.

    Args:
        facts: name the releases.
        actions: do what is asked for.
        pages: render the questions and the results.
    """
    routes = APIRouter(
        prefix=DO, include_in_schema=False, dependencies=[Depends(check_right), Depends(check_origin)]
    )

    @routes.get("/{action}")
    def ask(action: ActionName, request: Request) -> Response:
        question = QUESTIONS[action]
        fields = _fields(question, request.query_params)
        if "version" in fields:
            shown_release(facts, fields["version"])  # raises if there is none
        words = question.words.format_map({name: printable(text) for name, text in fields.items()})
        return pages.page(
            "confirm", question.title, action=action, question=question, words=words, fields=fields
        )

    @routes.post("/{action}")
    async def act(action: ActionName, request: Request) -> Response:
        question = QUESTIONS[action]
        fields = _fields(question, await read_form(request))
        try:
            sentences = await run_in_threadpool(actions.act, action, fields)
        except Unreachable:
            raise
        except SegueError as error:
            return pages.page(
                "done", question.title, 409, question=question, problem=sentence_of(error), sentences=()
            )
        return pages.page("done", question.title, question=question, problem=None, sentences=sentences)

    return routes


def _fields(question: Question, given: Mapping[str, str]) -> dict[str, str]:
    fields = {name: given.get(name, "").strip() for name in question.fields}
    for name in question.needed:
        if not fields[name]:
            raise BadOption(name, "", "give a value")
    return fields
