"""A little web server to be found and checked: `web.py PORT...` answers on each port, and can be broken and mended.

GET  /metrics   one figure, as Prometheus reads it
GET  any path   200 and the port, or 503 while broken
PUT  /break     be unwell from now on
PUT  /mend      be well again
"""

from __future__ import annotations

import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Instance(ThreadingHTTPServer):
    """One port, and whether it is broken."""

    broken = False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Instance

    def _answer(self, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        port = self.server.server_port
        if self.path == "/metrics":
            self._answer(200, f'web_well{{port="{port}"}} {int(not self.server.broken)}')
        elif self.server.broken:
            self._answer(503, f"web on {port} is broken")
        else:
            self._answer(200, f"web on {port} is well")

    def do_PUT(self) -> None:
        states = {"/break": True, "/mend": False}
        if self.path in states:
            self.server.broken = states[self.path]
            self._answer(200, "broken" if self.server.broken else "mended")
        else:
            self._answer(404, "PUT /break or /mend")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: checks ask every second."""


def main() -> None:
    try:
        instances = [Instance(("127.0.0.1", int(port)), Handler) for port in sys.argv[1:]]
    except OSError as error:
        sys.exit(f"web.py: one of the ports {', '.join(sys.argv[1:])} is not free: {error}")
    for instance in instances:
        threading.Thread(target=instance.serve_forever, daemon=True).start()
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    # Blocked before any thread starts, so that the signals reach sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
