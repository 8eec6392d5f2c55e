"""The worker's pages for machines: ``/healthz``, ``/readyz``, ``/metrics``, ``/status``.

The server uses threads and not the event loop, so it also answers when the worker is stuck.
"""

import errno
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import msgspec
import structlog
from prometheus_client import CONTENT_TYPE_LATEST

from schemas.errors import BadSetting
from streamer.status.worker_metrics import Metrics
from streamer.status.worker_status import StatusSource, not_ready_because

log = structlog.get_logger(__name__)

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
_SOCKET_TIMEOUT_S = 10.0
_STOP_WITHIN_S = 0.1
_OF_THE_PORT = (errno.EADDRINUSE, errno.EACCES)

Answer = tuple[HTTPStatus, str, bytes]
Page = Callable[[], Answer]


def pages(source: StatusSource, metrics: Metrics, no_progress_s: float) -> dict[str, Page]:
    """The pages by path.

    Args:
        source: gives the worker's status.
        metrics: the worker's metrics.
        no_progress_s: as in :func:`streamer.status.worker_status.not_ready_because`.
    """

    def health() -> Answer:
        if ended := source.ended():
            return HTTPStatus.SERVICE_UNAVAILABLE, TEXT, f"ended: {', '.join(ended)}\n".encode()
        return HTTPStatus.OK, TEXT, b"ok\n"

    def ready() -> Answer:
        reasons = not_ready_because(source.status(), time.monotonic(), no_progress_s)
        code = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return code, JSON, msgspec.json.encode({"ready": not reasons, "reasons": reasons})

    def status() -> Answer:
        return HTTPStatus.OK, JSON, _status_json(source, time.monotonic(), no_progress_s)

    def prometheus() -> Answer:
        return HTTPStatus.OK, CONTENT_TYPE_LATEST, metrics.exposition()

    return {"/healthz": health, "/readyz": ready, "/status": status, "/metrics": prometheus}


def answer_of(by_path: Mapping[str, Page], path: str) -> Answer:
    """The answer of the page at this path; 404 names the pages.

    A page that fails answers 500, so the worker does not look dead.
    """
    page = by_path.get(path.partition("?")[0])
    if page is None:
        return HTTPStatus.NOT_FOUND, TEXT, f"there are {' '.join(sorted(by_path))}\n".encode()
    try:
        return page()
    except Exception as error:
        log.error("web.page_failed", path=path, error=repr(error))  # noqa: TRY400 - one line
        log.debug("web.page_failed", exc_info=True)
        return HTTPStatus.INTERNAL_SERVER_ERROR, TEXT, b"this page failed; the worker's log says why\n"


def _status_json(source: StatusSource, now_s: float, no_progress_s: float) -> bytes:
    """The status as JSON; a lane's times become ages in seconds, because its clock is local."""
    status = source.status()
    shown = msgspec.to_builtins(status)
    for lane, row in zip(status.lanes, shown["lanes"], strict=True):
        del row["last_progress"], row["waiting_since"], row["heard"]
        row["idle_s"] = _ago(lane.last_progress, now_s)
        row["waiting_s"] = _ago(lane.waiting_since, now_s)
    reasons = not_ready_because(status, now_s, no_progress_s)
    return msgspec.json.encode({"ready": not reasons, "reasons": reasons, **shown})


def _ago(at_s: float | None, now_s: float) -> float | None:
    return None if at_s is None else round(now_s - at_s, 3)


class WebServer:
    """Serves pages while its context is open.

    Args:
        host: the address to listen on.
        port: the port; 0 takes any free port, and :attr:`port` has its number.
        by_path: the pages.

    Raises:
        BadSetting: the server cannot listen on this address.
    """

    def __init__(self, host: str, port: int, by_path: Mapping[str, Page]) -> None:
        self._server = _listening(host, port, by_path)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_STOP_WITHIN_S,), name="web", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def check_address(host: str, port: int) -> None:
    """Check that a server can listen on an address, before anything else begins.

    Raises:
        BadSetting: a server cannot listen there.
    """
    _listening(host, port, {}).server_close()


def _listening(host: str, port: int, by_path: Mapping[str, Page]) -> "_Server":
    try:
        return _Server((host, port), by_path)
    except OSError as error:
        problem = f"cannot listen on {host}:{port} ({error.strerror or error})"
        if error.errno in _OF_THE_PORT:
            raise BadSetting(
                "web_port", port, f"{problem}: give another web_port, or 0 for any free one"
            ) from None
        raise BadSetting("web_host", host, f"{problem}: give an address of this machine") from None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], by_path: Mapping[str, Page]) -> None:
        self.by_path = by_path
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind the address without a look-up of the machine's name, which may take seconds."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_port = self.server_address[1]

    def handle_error(self, _request: object, client_address: object) -> None:
        """Log at debug level that a client went away before its answer; print no traceback."""
        log.debug("web.client_gone", client=client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SOCKET_TIMEOUT_S
    server_version = "segue"
    sys_version = ""

    def do_GET(self) -> None:
        code, content_type, body = answer_of(self.server.by_path, self.path)
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log nothing: probes come every second."""
