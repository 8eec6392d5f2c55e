"""Errors as answers: a status and one sentence, as JSON or as a page."""

from __future__ import annotations

from collections.abc import Callable
from traceback import extract_tb

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from schemas.errors import BadEvent, BadSetting, SegueError
from schemas.printable import printable
from segue.config.command_line import BadOption, BadUsage
from segue.console.access.gate import API, MayNot
from segue.console.shown.shown_release import UnknownRelease
from segue.console.viewers.change_hub import TooManyViewers
from segue.look.explain_user import UnknownUser

_UNAVAILABLE = 503

log = structlog.get_logger("segue.console")


ErrorPage = Callable[[int, str], Response]
"""Returns a page for a status and a sentence."""


def status_of(error: SegueError) -> int:
    """Return the status of an error: the request is wrong, or Kafka and Redis cannot answer it now."""
    match error:
        case MayNot():
            return 403
        case UnknownUser() | UnknownRelease():
            return 404
        case BadUsage() | BadSetting() | BadEvent():
            return 422
        case TooManyViewers():
            return 429
        case _:
            return _UNAVAILABLE


def sentence_of(error: SegueError) -> str:
    """Return an error's sentence; a wrong option is called a parameter here.

    >>> sentence_of(BadOption("--total-orders", "x", "give a whole number"))
    "parameter total_orders is 'x': give a whole number"
    """
    if isinstance(error, BadOption):
        return _of_parameter(error.name.removeprefix("--").replace("-", "_"), error.value, error.fix)
    if isinstance(error, BadSetting):
        return _of_parameter(error.name, error.value, error.fix)
    return str(error)


def answer_errors(app: FastAPI, page: ErrorPage) -> None:
    """Let the app answer every error with one sentence.

    Args:
        app: the app.
        page: makes the answer to a browser.
    """

    def answer(request: Request, status: int, sentence: str) -> Response:
        sentence = printable(sentence)
        if request.url.path.startswith(API):
            return JSONResponse({"error": sentence}, status)
        return page(status, sentence)

    async def of_segue(request: Request, error: Exception) -> Response:
        assert isinstance(error, SegueError)
        return answer(request, status_of(error), sentence_of(error))

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = answer(request, error.status_code, _words(request, error))
        response.headers.update(error.headers or {})
        return response

    async def of_parameters(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return answer(request, 422, _of_parameter(name, first.get("input"), _fix(first["msg"])))

    async def of_the_gone(request: Request, _error: Exception) -> Response:
        log.debug("console.client_gone", path=request.url.path)
        return Response(status_code=400)  # nobody gets it

    async def of_bugs(request: Request, error: Exception) -> Response:
        # Without the error's words, which may hold a password.
        log.error(
            "console.request_failed", path=request.url.path, error=type(error).__name__, where=_where(error)
        )
        return answer(request, 500, "this is a bug in Segue; the console's log says where")

    app.add_exception_handler(SegueError, of_segue)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_parameters)
    app.add_exception_handler(ClientDisconnect, of_the_gone)
    app.add_exception_handler(Exception, of_bugs)


def _where(error: Exception) -> str:
    """Return the file and the line that raised an error."""
    place = extract_tb(error.__traceback__)[-1]
    return f"{place.filename}:{place.lineno}"


def _words(request: Request, error: HTTPException) -> str:
    if error.status_code == 404:
        return f"there is no page {request.url.path!r}: the start page lists them"
    if error.status_code == 405:
        return f"this page does not answer {request.method}: send GET"
    return str(error.detail)


def _of_parameter(name: str, value: object, fix: str) -> str:
    return f"parameter {name} is {value!r}: {fix}"


def _fix(message: str) -> str:
    """Return pydantic's message as the rest of a sentence."""
    return message[:1].lower() + message[1:]
