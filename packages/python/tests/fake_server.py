"""A server that responds as a test configures it, for responses that a real Eye gives only in an outage."""

import gzip
import http.server
import json
import threading


class FakeServer:
    """Responds with each of `responses` once: a pair of a status and headers. Afterwards it accepts everything."""

    def __init__(self, responses=(), max_events=None):
        self.responses = list(responses)
        self.max_events = max_events
        #: Events by request, of accepted requests.
        self.accepted = []
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(dict(self.headers))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                events = json.loads(body)
                status, headers, document = outer.respond(events)
                text = json.dumps(document).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def respond(self, events):
        if self.responses:
            status, headers = self.responses.pop(0)
            return status, headers, {}
        if self.max_events is not None and len(events) > self.max_events:
            return 413, {}, {"code": "body_too_large"}
        self.accepted.append(events)
        return 202, {}, {"accepted": len(events), "rejected": []}

    @property
    def events(self):
        return [event for events in self.accepted for event in events]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
