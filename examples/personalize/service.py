"""Greets each customer by segment: GET /users/7 answers with the banner to show.
`python service.py` runs it.
"""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from segue.subscribe import SegmentChange, UserErasedChange, changes

BANNERS = {"loyal": "Your early access starts now.", "new": "Welcome! Your first delivery is free."}
users: dict[str, SegmentChange] = {}


class Shop(BaseHTTPRequestHandler):
    """The answers."""

    def do_GET(self) -> None:
        user = users.get(unquote(self.path.removeprefix("/users/")))
        segment = None if user is None else user.segment_name
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"segment": segment, "banner": BANNERS.get(segment or "new")}).encode())


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Shop)
threading.Thread(target=server.serve_forever, daemon=True).start()
kafka, prefix = os.environ.get("KAFKA", "127.0.0.1:9092"), os.environ.get("TOPIC_PREFIX", "")
# In the main thread: a reader that fails ends the service, which would otherwise go on with old segments.
for change in changes(kafka, topic_prefix=prefix, start="states", provisional=True):
    if isinstance(change, UserErasedChange):
        users.pop(change.user_id, None)
    else:
        users[change.user_id] = change
