"""A Schema Registry for one test: schemas by id over HTTP, with a login, and with errors if they are set."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FakeRegistry:
    """``schemas`` has types and texts by id; ``answers`` is a status to answer with in place of them."""

    schemas: dict[int, tuple[str, str]]
    url: str = ""
    login: str | None = None
    answers: int | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, authorization: str | None) -> tuple[int, object]:
        self.asked.append(path)
        if self.answers is not None:
            return self.answers, {"error_code": self.answers, "message": "away"}
        wanted = None if self.login is None else f"Basic {base64.b64encode(self.login.encode()).decode()}"
        if wanted not in (None, authorization):
            return 401, {"error_code": 401, "message": "Unauthorized"}
        number = path.partition("?")[0].removeprefix("/schemas/ids/")
        if not number.isdecimal() or int(number) not in self.schemas:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        kind, text = self.schemas[int(number)]
        return 200, {"schema": text} | ({} if kind == "AVRO" else {"schemaType": kind})


@contextmanager
def fake_registry(schemas: dict[int, tuple[str, str]], login: str | None = None) -> Iterator[FakeRegistry]:
    """Serve the schemas on a port of this machine."""
    registry = FakeRegistry(schemas, login=login)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = registry.answer(self.path, self.headers.get("Authorization"))
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def framed(number: int, value: bytes) -> bytes:
    """Put a value into the frame of a Schema Registry."""
    return b"\0" + number.to_bytes(4, "big") + value
