"""An imitation of DashScope on this computer, which answers as its documentation says.

Test modules import from here and load the fixture as a plugin: PYTEST_DONT_REWRITE.
"""

import base64
import io
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

KEY = "sk-0123456789abcdef0123456789abcdef"
EMBEDDING = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"
CHAT = "/compatible-mode/v1/chat/completions"


def vector_of(content):
    """What the imitation embeds: a text by its length, a picture by its mean colour."""
    if "text" in content:
        return [1.0, len(content["text"]), 0.0, 0.0]
    kind, _, coded = content["image"].partition(",")
    assert kind == "data:image/jpeg;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(coded)))
    return [0.0, *np.asarray(picture).mean((0, 1)).tolist()]


class Service:
    """Answers calls; ``answers`` are given first, each as (status, body).

    ``slow`` is how many seconds it takes, ``headers`` what it sends with each answer, and of a body
    it keeps the last ``held_back`` bytes to itself.
    """

    def __init__(self):
        self.answers, self.calls, self.times, self.slow = [], [], [], 0.0
        self.headers, self.held_back = {}, 0
        self.refuses = lambda content: False
        self.lock = threading.Lock()

    def reply(self, path, headers, body):
        with self.lock:
            self.calls.append((path, body))
            self.times.append(time.monotonic())
            prepared = self.answers.pop(0) if self.answers else None
        time.sleep(self.slow)
        if prepared:
            return prepared
        if headers.get("Authorization") != f"Bearer {KEY}":
            said = f"Invalid API-key provided: {headers.get('Authorization')}"
            return 401, {"code": "InvalidApiKey", "message": said, "request_id": "r"}
        if path == CHAT:
            words = {"label": "a dog", "description": "A dog.", "keywords": list("abcdef")}
            message = {"role": "assistant", "content": f"```json\n{json.dumps(words)}\n```"}
            return 200, {"choices": [{"message": message, "finish_reason": "stop", "index": 0}]}
        assert path == EMBEDDING
        (content,) = body["input"]["contents"]
        if self.refuses(content):
            return 400, {"code": "DataInspectionFailed", "message": "Input may be inappropriate."}
        found = {"index": 0, "embedding": vector_of(content), "type": next(iter(content))}
        return 200, {"output": {"embeddings": [found]}, "usage": {}, "request_id": "r"}


@pytest.fixture
def service(monkeypatch):
    """The imitation, with the environment set for it."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, content = service.reply(self.path, self.headers, body)
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            for name, value in service.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw[: len(raw) - service.held_back])

        def log_message(self, *_):
            """Say nothing."""

        def handle(self):
            try:
                super().handle()
            except OSError:  # a client that no longer waits
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    monkeypatch.setenv("DASHSCOPE_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    yield service
    server.shutdown()
    server.server_close()
