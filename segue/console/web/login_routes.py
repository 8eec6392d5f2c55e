"""Logs a browser in by the console's token, and out."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from segue.console.web.gate import COOKIE, LOGIN, Pass
from segue.console.web.page_templates import Pages

_LONGEST = 4_096


def login_routes(token: Pass, pages: Pages) -> APIRouter:
    """Return the routes of the login.

    Args:
        token: the token that readers must give.
        pages: renders the form.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get(LOGIN)
    def login() -> Response:
        return pages.page("login", "Log in", problem=None)

    @routes.post(LOGIN)
    async def log_in(request: Request) -> Response:
        given = parse_qs(await _body(request)).get("token", [""])[0]
        if not token.is_token(given):
            return pages.page("login", "Log in", 401, problem="this is not the console's token: try again")
        answer = RedirectResponse("/", 303)
        is_secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, token.cookie, httponly=True, samesite="strict", secure=is_secure)
        return answer

    @routes.post("/logout")
    def log_out() -> Response:
        answer = RedirectResponse(LOGIN, 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return routes


async def _body(request: Request) -> str:
    """Return a short form; a longer one has no token."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST:
            return ""
    return body.decode(errors="replace")
