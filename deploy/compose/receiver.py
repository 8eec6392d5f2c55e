"""Stands in for a CRM system in the demo: it prints each webhook that comes."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

ADDRESS = ("", 8099)


def words_of(body: bytes) -> str:
    """Return what a webhook says; a body of one's own template is returned as it is."""
    try:
        data = json.loads(body)["data"]
        user_id, segment = data["user_id"], data["change"].get("segment_name")
    except (ValueError, LookupError, TypeError, AttributeError):
        return body.decode(errors="replace")
    return f"user {user_id} was erased" if segment is None else f"user {user_id} is now in {segment}"


class Receiver(BaseHTTPRequestHandler):
    """Takes every webhook."""

    def do_POST(self) -> None:
        """Print the webhook, and answer that it is taken."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(f"webhook: {words_of(body)}", flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing else."""


if __name__ == "__main__":
    HTTPServer(ADDRESS, Receiver).serve_forever()
