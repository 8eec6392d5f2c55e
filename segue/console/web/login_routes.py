"""Logs a browser in by the console's token, and out."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from segue.console.access.gate import COOKIE, LOGIN, Pass, check_origin, cookie_in
from segue.console.access.logins import Right
from segue.console.web.form_body import read_form
from segue.console.web.page_templates import Pages


def login_routes(token: Pass, pages: Pages) -> APIRouter:
    """Return the routes of the login.

    Args:
        token: the tokens.
        pages: renders the form.
    """
    routes = APIRouter(include_in_schema=False, dependencies=[Depends(check_origin)])

    @routes.get(LOGIN)
    def login() -> Response:
        return pages.page("login", "Log in", problem=None)

    @routes.post(LOGIN)
    async def log_in(request: Request) -> Response:
        right = token.right_of((await read_form(request)).get("token", ""))
        if right is Right.NOTHING:
            return pages.page("login", "Log in", 401, problem="this is no token of the console: try again")
        answer = RedirectResponse("/", 303)
        is_secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, token.logins.begin(right), httponly=True, samesite="strict", secure=is_secure
        )
        return answer

    @routes.post("/logout")
    async def log_out(request: Request) -> Response:
        token.logins.end(cookie_in(request.headers))
        answer = RedirectResponse(LOGIN, 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return routes
