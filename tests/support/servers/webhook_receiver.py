"""A receiver of webhooks that fails, hangs, answers late or closes early, as a test asks."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Reply:
    """How the receiver answers.

    Attributes:
        status: the status; None closes the connection without an answer.
        headers: headers of the answer.
        late_s: how long it waits before.
    """

    status: int | None = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook as it came, and the status of the answer."""

    webhook_id: str
    headers: Mapping[str, str]
    body: bytes
    path: str
    status: int | None
    at_s: float


class WebhookReceiver:
    """A server on this machine, in a context. ``reply`` says how to answer; tests may change it."""

    def __init__(self, reply: Callable[[str], Reply] = lambda _id: Reply()) -> None:
        self.reply = reply
        self.requests: list[Request] = []
        self.peers: list[tuple[str, int]] = []
        self.most_at_once = 0
        self._running = 0
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                receiver.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Note a request and answer it."""
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        name = handler.headers["webhook-id"]
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
            reply = self.reply(name)
            self.peers.append(handler.client_address)
            headers = {key.lower(): value for key, value in handler.headers.items()}
            self.requests.append(Request(name, headers, body, handler.path, reply.status, time.monotonic()))
        try:
            time.sleep(reply.late_s)
        finally:
            with self._lock:
                self._running -= 1
        if reply.status is None:
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for key, value in reply.headers.items():
            handler.send_header(key, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def taken(self) -> Counter[str]:
        """How often each webhook was answered with 2xx."""
        return Counter(r.webhook_id for r in list(self.requests) if r.status and 200 <= r.status < 300)
