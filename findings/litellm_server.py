"""What the scripts about LiteLLM share: a server on loopback that gives one answer, and a call of it."""

import asyncio
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

litellm.suppress_debug_info = True


class Server(ThreadingHTTPServer):
    """Answers each request with a status and a JSON body; `asked` counts the requests."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        """Start to serve on a free port."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body, self.asked = status, body, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def ask(self, model: str = "openai/any") -> Any:
        """LiteLLM's response to one question, or the error that it raises."""
        address = f"http://127.0.0.1:{self.server_port}/v1"
        try:
            return asyncio.run(
                litellm.acompletion(
                    model=model,
                    base_url=address,
                    api_key="none",
                    max_retries=0,
                    messages=[{"role": "user", "content": "Hello"}],
                    response_format={"type": "json_object"},
                )
            )
        except Exception as error:
            return error


class Handler(BaseHTTPRequestHandler):
    """Sends the answer of its server."""

    server: Server

    def do_POST(self) -> None:
        """Answer a question."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        body = json.dumps(self.server.body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
