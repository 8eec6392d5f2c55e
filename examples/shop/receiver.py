"""Stands in for your CRM system: it prints each webhook that comes, while the command after it runs."""

import json
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread


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
    server = HTTPServer(("127.0.0.1", 8099), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    command = subprocess.Popen(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is for the command
    signal.signal(signal.SIGTERM, lambda *_: command.terminate())
    sys.exit(command.wait())
