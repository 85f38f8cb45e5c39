"""A real HTTP server on loopback whose answers a test chooses."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """What a client asked, and when (time.monotonic())."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    at: float


@dataclass(frozen=True)
class Answer:
    """What the server says, after so many seconds; a body that is neither text nor bytes is sent as JSON.

    With cut, only so many bytes of the body are sent before the connection closes; with 0 nothing at all,
    not even a status.
    """

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    cut: int | None = None

    @property
    def encoded(self) -> bytes:
        """The whole body as it is sent."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Server(ThreadingHTTPServer):
    """Takes a hundred connections at once and is not upset by clients that go away: some tests are about them."""

    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """Keep quiet."""


class Loopback:
    """Serves answer(request) from a thread per connection, for the length of a with block; port 0 is a free one."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Answer] = lambda _: Answer({}, 404)
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body leave together and at once.
            wbufsize = 2**16
            disable_nagle_algorithm = True

            def parse_request(self) -> bool:
                self.at = time.monotonic()
                return super().parse_request()

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command,
                    address.path,
                    {name: values[-1] for name, values in parse_qs(address.query).items()},
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length).decode(),
                    self.at,
                )
                loopback.requests.append(request)
                answer = loopback.answer(request)
                time.sleep(answer.delay)
                self.close_connection |= answer.cut is not None
                if answer.cut == 0:
                    return
                body = answer.encoded
                headers = {
                    "Date": self.date_time_string(),
                    "Content-Type": "application/json",
                    "Content-Length": str(len(body)),
                } | {name.title(): value for name, value in answer.headers.items()}
                self.send_response_only(answer.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[: answer.cut])

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                """Keep quiet."""

        self.server = Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        """Start serving."""
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
