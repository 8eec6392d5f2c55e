"""Stands in for your CRM system: it prints each webhook that comes."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer


class Receiver(BaseHTTPRequestHandler):
    """Takes every webhook."""

    def do_POST(self) -> None:
        """Print the user and the segment, and answer that the webhook is taken."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        data = body["data"]
        print(f"webhook: user {data['user_id']} enters {data['change']['segment_name']}", flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing else."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", 8099), Receiver).serve_forever()
