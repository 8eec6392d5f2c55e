"""Stands in for a CRM system in the demo: it prints each webhook that comes."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

ADDRESS = ("", 8099)


class Receiver(BaseHTTPRequestHandler):
    """Takes every webhook."""

    def do_POST(self) -> None:
        """Print the user and the segment, and answer that the webhook is taken."""
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
        print(f"webhook: user {data['user_id']} enters {data['change']['segment_name']}", flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing else."""


if __name__ == "__main__":
    HTTPServer(ADDRESS, Receiver).serve_forever()
