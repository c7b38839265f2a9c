"""A payment provider that fails, answers late, hangs up and forgets, as a test tells it to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Mood = Literal["away", "fails after", "hangs up", "late"]


class Bank(ThreadingHTTPServer):
    """Takes every payment but those above its limit, each key once while it remembers it.

    `moods` are what it does with the next requests for payments, the first first: refuse with 503 and do nothing; or
    do it and answer 500, or hang up, or never answer.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.moods: list[Mood] = []
        self.keys: dict[str, tuple[int, dict[str, str]]] = {}
        self.taken: list[tuple[str, str]] = []
        self.asked = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def forget(self) -> None:
        """Its idempotency keys have expired; what it has taken it knows."""
        self.keys = {}

    def take(self, key: str, body: dict[str, str]) -> tuple[int, dict[str, str]]:
        with self.lock:
            if key not in self.keys and body["reference"].startswith("poor"):
                self.keys[key] = 402, {"reason": "no-funds"}
            elif key not in self.keys:
                self.taken.append((key, body["amount"]))
                self.keys[key] = 201, {"id": f"payment-{len(self.taken)}"}
            return self.keys[key]

    def look_up(self, key: str) -> tuple[int, dict[str, str]]:
        numbers = [number for number, (known, _) in enumerate(self.taken, 1) if known == key]
        return (200, {"id": f"payment-{numbers[0]}"}) if numbers else self.keys.get(key, (404, {}))


class _Handler(BaseHTTPRequestHandler):
    server: Bank

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        bank = self.server
        bank.asked += 1
        mood = bank.moods.pop(0) if bank.moods else None
        if mood == "away":
            self._answer(503, {})
            return
        status, answer = bank.take(self.headers["Idempotency-Key"], body)
        if mood == "late":
            self.rfile.read(1)  # until whoever asks has had enough
        if mood in ("late", "hangs up"):
            self.close_connection = True
        else:
            self._answer(500 if mood == "fails after" else status, answer)

    def do_GET(self) -> None:
        self._answer(*self.server.look_up(self.path.rpartition("/")[2]))

    def _answer(self, status: int, body: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """A test prints nothing."""


@contextmanager
def open_bank() -> Iterator[Bank]:
    """A bank that serves while the block lasts."""
    with Bank() as bank:
        serving = threading.Thread(target=bank.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        try:
            yield bank
        finally:
            bank.shutdown()
            serving.join()
