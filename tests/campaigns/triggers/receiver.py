"""The receiver as a process: it appends every webhook to a file before it answers.

How it answers stands in another file, which the campaign changes: `good`, `500`, `429`, `hang`, `late` or
`close`. A webhook whose id begins with `0` is refused for ever, unless the file says `open`.
"""

from __future__ import annotations

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HANG_S = 8.0
LATE_S = 2.5
"""Beyond the timeout of the triggers: each such webhook comes again."""


def serve(port: int, log: int, mood: Path) -> None:
    """Serve until the process is killed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            name, how = self.headers["webhook-id"], mood.read_text()
            status = 204
            if name[0] == "0" and how != "open":
                status = 410
            elif how in ("500", "429"):
                status = int(how)
            elif how in ("hang", "late"):
                time.sleep(HANG_S if how == "hang" else LATE_S)
            elif how == "close":
                status = 0
            if status == 204:
                os.write(log, f"{name}\n".encode())
            if how == "close":
                self.close_connection = True
                return
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            pass

    Server(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(
        int(sys.argv[1]),
        os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT),
        Path(sys.argv[3]),
    )
