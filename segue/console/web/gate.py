"""Decides who may read the console, and sets the headers that protect a browser."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from segue.console.web.web_errors import API

COOKIE = "segue_console"
LOGIN = "/login"
STATIC = "/static/"
_PROTECTION = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
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


class Pass:
    """The token that readers must give.

    Args:
        token: the token; None lets everybody on this machine read.
    """

    def __init__(self, token: str | None) -> None:
        self._token = None if token is None else token.encode()

    @property
    def is_needed(self) -> bool:
        """Whether there is a token."""
        return self._token is not None

    @property
    def cookie(self) -> str:
        """The cookie's value. The token cannot be computed from it."""
        assert self._token is not None
        return hmac.new(self._token, b"segue console", hashlib.sha256).hexdigest()

    def is_token(self, given: str) -> bool:
        """Return whether this is the token, in constant time."""
        return self._token is not None and hmac.compare_digest(given.encode(errors="replace"), self._token)

    def lets_in(self, headers: Headers) -> bool:
        """Return whether a request has the token or the cookie."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_token(given.strip())
        found = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        return hmac.compare_digest(found.encode(errors="replace"), self.cookie.encode())


class Gate:
    """Refuses requests that may not read, and adds the protecting headers to every answer.

    Without a token, the request must name this machine. With a token, every page but the login needs it.

    Args:
        app: the app behind the gate.
        token: the token that readers must give.
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
                headers.update(_PROTECTION)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope["path"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, protect)

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        if not self._token.is_needed:
            if names_loopback(headers.get("host", "")):
                return None
            sentence = "this console answers only as localhost: start it with a token to use another name"
            return JSONResponse({"error": sentence}, 421)
        if path == LOGIN or path.startswith(STATIC) or self._token.lets_in(headers):
            return None
        if path.startswith(API):
            sentence = "give the console's token: Authorization: Bearer TOKEN"
            return JSONResponse({"error": sentence}, 401, {"WWW-Authenticate": "Bearer"})
        return RedirectResponse(LOGIN, 303)
