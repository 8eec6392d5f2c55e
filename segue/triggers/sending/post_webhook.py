"""One request to a receiver, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import responses

import urllib3
from msgspec import Struct
from urllib3.exceptions import HTTPError

from segue.triggers.sending.request_deadline import bound_pools, deadline

CONNECT_S = 10.0
MAX_RETRY_AFTER_S = 3_600.0
# Timeouts and "too early", which pass; all other 4xx say that this request will never be taken.
_PASSING_4XX = frozenset({408, 425, 429})
_BODY_BYTES = 65_536


class Answer(Struct, frozen=True):
    """What came of a request.

    Attributes:
        taken: whether the receiver has the webhook.
        final: whether a repeat cannot help.
        reason: why the receiver does not have it, for a person; no secret.
        retry_after_s: how long the receiver asks to wait; None if it does not say.
    """

    taken: bool
    final: bool = False
    reason: str = ""
    retry_after_s: float | None = None


class Poster:
    """Posts to one receiver, over connections that stay open. Threads may share it.

    Args:
        concurrency: the most connections to keep.
        timeout_s: how long a request may take, from the connection to the end of the answer.
    """

    def __init__(self, concurrency: int, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._pool = bound_pools(
            urllib3.PoolManager(
                num_pools=1,
                maxsize=concurrency,
                timeout=urllib3.Timeout(connect=min(CONNECT_S, timeout_s), read=timeout_s),
                retries=False,
            )
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request; follow no redirect."""
        with deadline(self._timeout_s) as mine:
            try:
                answer = self._pool.request(
                    "POST", url, body=body, headers=dict(headers), redirect=False, preload_content=False
                )
            except HTTPError as error:
                why = _late(self._timeout_s) if mine.is_over else _why(error, self._timeout_s)
                return Answer(taken=False, reason=f"the receiver did not answer ({why})")
            try:
                return _meaning(answer.status, answer.headers.get("Retry-After"), datetime.now(UTC))
            finally:
                _leave(answer)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


def _leave(answer: urllib3.BaseHTTPResponse) -> None:
    """Give the connection back if the answer ends here; else close it.

    The body says nothing to us. A receiver may send it slowly or without end, so only what has come is read.
    """
    try:
        if answer.length_remaining:
            answer.read1(_BODY_BYTES, decode_content=False)
        if answer.length_remaining == 0:
            answer.release_conn()
            return
    except HTTPError:
        pass
    answer.close()


def _meaning(status: int, retry_after: str | None, now: datetime) -> Answer:
    if 200 <= status < 300:
        return Answer(taken=True)
    said = f"the receiver answered {status} {responses.get(status, '')}".rstrip()
    if 300 <= status < 400:
        return Answer(taken=False, reason=f"{said}, and a redirect is not followed")
    if 400 <= status < 500 and status not in _PASSING_4XX:
        return Answer(taken=False, final=True, reason=said)
    return Answer(taken=False, reason=said, retry_after_s=_seconds(retry_after, now))


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds that a header `Retry-After` asks for: a number of seconds, or a date."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_S)  # of any length: beyond all floats it is infinite
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def _late(timeout_s: float) -> str:
    return f"no answer within {timeout_s:g} s"


def _why(error: HTTPError, timeout_s: float) -> str:
    """Return a reason without the address, which may hold a secret."""
    # The first two are kinds of the third.
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "its name is not known"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "no connection"
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return "no connection in time"
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return _late(timeout_s)
    if isinstance(error, urllib3.exceptions.SSLError):
        return "TLS failed"
    return "the connection broke"
