"""A client that works all the time and notices whatever the server does to others."""

import threading
import time
from types import TracebackType
from uuid import uuid4

from esdbclient import EventStoreDBClient, NewEvent, StreamState

from tests.support.polling import poll_until

SECONDS = 10.0


class Canary:
    """Appends and reads in turn, until the block ends; `singing` says how often it did, `longest` its longest wait."""

    def __init__(self, uri: str) -> None:
        self.singing, self.longest = 0, 0.0
        self._uri = uri
        self._stream = f"canary-{uuid4().hex}"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sing)
        self._failure: Exception | None = None

    def __enter__(self) -> "Canary":
        """Returns when it has sung once."""
        self._thread.start()
        poll_until(lambda: self.singing or self._failure, SECONDS, what="the canary's first song")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises what went wrong meanwhile."""
        self._over.set()
        self._thread.join(2 * SECONDS)
        if self._failure is not None:
            raise self._failure

    def _sing(self) -> None:
        try:
            with EventStoreDBClient(self._uri) as client:
                version: int | StreamState = StreamState.NO_STREAM
                while not self._over.is_set():
                    began = time.monotonic()
                    self._note(client, version)
                    self.longest = max(self.longest, time.monotonic() - began)
                    version = self.singing
                    self.singing += 1
        except Exception as failure:  # noqa: BLE001  # raised again where the block ends
            self._failure = failure

    def _note(self, client: EventStoreDBClient, version: int | StreamState) -> None:
        event = NewEvent("Sung", b"{}")
        client.append_to_stream(self._stream, current_version=version, events=event, timeout=SECONDS)
        last = client.get_stream(self._stream, backwards=True, limit=1, timeout=SECONDS)
        assert [(one.id, one.stream_position) for one in last] == [(event.id, self.singing)]
