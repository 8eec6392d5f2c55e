"""Decides who may read the console, and sets the headers that protect a browser."""

from __future__ import annotations

import hmac
from contextvars import ContextVar
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import SegueError
from segue.console.access.logins import Logins, Right

COOKIE = "segue_console"
API = "/api/"
LOGIN = "/login"
STATIC = "/static/"
_PROTECTION = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With `no-referrer`, a browser would not name this console as the origin of its own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "shop.example")]
    [True, True, True, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def names_loopback(host_header: str) -> bool:
    """Return whether a Host header names this machine.

    A page of a stranger whose name leads to 127.0.0.1 (DNS rebinding) sends the stranger's name.

    >>> [names_loopback(host) for host in ("localhost:8765", "[::1]:8765", "evil.example:8765", "")]
    [True, True, False, False]
    """
    try:
        return is_loopback(urlsplit(f"//{host_header}").hostname or "")
    except ValueError:
        return False


class MayNot(SegueError):
    """The request needs the right to write, or a stranger's page sent it."""


RIGHT: ContextVar[Right] = ContextVar("right", default=Right.NOTHING)
"""The right that the token or the cookie of the present request gives."""


class Pass:
    """The tokens that people must give, and the browsers that gave one (``logins``).

    Args:
        token: the token to read; None lets everybody on this machine read.
        write_token: the token to write; None lets nobody write.
    """

    def __init__(self, token: str | None, write_token: str | None = None) -> None:
        given = {Right.READ: token, Right.WRITE: write_token}
        self._tokens = {right: text.encode() for right, text in given.items() if text is not None}
        self.logins = Logins()

    @property
    def is_needed(self) -> bool:
        """Whether readers must give a token."""
        return Right.READ in self._tokens

    @property
    def has_tokens(self) -> bool:
        """Whether there is a token at all, so that people can log in."""
        return bool(self._tokens)

    def right_of(self, given: str) -> Right:
        """Return the right that a text gives as a token, in constant time."""
        bytes_given = given.encode(errors="replace")
        found = [right for right, token in self._tokens.items() if hmac.compare_digest(bytes_given, token)]
        return max(found, default=Right.NOTHING)

    def right_in(self, headers: Headers) -> Right:
        """Return the right that a request has by its token or its cookie."""
        if (given := bearer(headers)) is not None:
            return self.right_of(given)
        return self.logins.right_of(cookie_in(headers))


def cookie_in(headers: Headers) -> str:
    """Return a request's cookie; empty if it has none."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def bearer(headers: Headers) -> str | None:
    """Return the token in a request's header; None if the header has none."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def is_from_here(headers: Headers) -> bool:
    """Return whether a page of this console sent a form, or a program with a token.

    A page of a stranger can send a form, too. But the browser then names the stranger, or says `cross-site`.
    """
    if bearer(headers) is not None:
        return True
    if (site := headers.get("sec-fetch-site")) is not None:
        return site == "same-origin"
    origin = headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == headers.get("host")


def check_origin(request: Request) -> None:
    """Check that no page of a stranger sent a form.

    Raises:
        MayNot: another page sent it, or the browser does not say which.
    """
    if request.method != "GET" and not is_from_here(request.headers):
        raise MayNot("another page sent this form: send it from the console's own page")


class Gate:
    """Refuses requests that may not read, and adds the protecting headers to every answer.

    Without a token, the request must name this machine. With a token, every page but the login needs it.

    Args:
        app: the app behind the gate.
        token: the tokens.
    """

    def __init__(self, app: ASGIApp, token: Pass) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def protect(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (*_PROTECTION.items(), ("Cache-Control", "no-store")):
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        right = self._token.right_in(headers)
        RIGHT.set(right)
        refusal = self._refusal(scope["path"], headers, right)
        await (refusal or self._app)(scope, receive, protect)

    def _refusal(self, path: str, headers: Headers, right: Right) -> Response | None:
        if not self._token.is_needed:
            if names_loopback(headers.get("host", "")):
                return None
            sentence = "this console answers only as localhost: start it with a token to use another name"
            return JSONResponse({"error": sentence}, 421)
        if path == LOGIN or path.startswith(STATIC) or right >= Right.READ:
            return None
        if path.startswith(API):
            sentence = "give the console's token: Authorization: Bearer TOKEN"
            return JSONResponse({"error": sentence}, 401, {"WWW-Authenticate": "Bearer"})
        return RedirectResponse(LOGIN, 303)
