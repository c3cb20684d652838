"""Web servers of the tests' own, on 127.0.0.1 with a port of the kernel's choice."""
import contextlib
import http.server
import json
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers requests and says nothing about them."""

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status, body=b"", content_type="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked may be gone by now
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class WebServer:
    """Serves on threads of its own until stop(); `handler` is the Handler that answers."""

    def __init__(self, handler):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class WebhookSink(WebServer):
    """Takes Alertmanager's notifications and remembers when each came."""

    def __init__(self):
        notifications = self.notifications = []

        class Sink(Handler):
            def do_POST(self):
                notifications.append((time.monotonic(), self.path, json.loads(self.body())))
                self.answer(200)
        super().__init__(Sink)

    def alerts(self, name, status=None):
        return [(when, alert) for when, _, n in list(self.notifications) for alert in n["alerts"]
                if alert["labels"]["alertname"] == name and status in (None, alert["status"])]
