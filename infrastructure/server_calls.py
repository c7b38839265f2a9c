"""Measures the calls of one process to the event store and to Redis: how long they took, which were not answered."""

from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Final, Literal, TypeAlias

from prometheus_client import Histogram
from redis import RedisError

from infrastructure.eventstore.errors import StoreUnavailable

Call: TypeAlias = Literal["append", "read", "query"]
_SERVERS: Final[Mapping[Call, str]] = {"append": "eventstore", "read": "eventstore", "query": "redis"}
_SECONDS: Final = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_UNANSWERED: Final = (StoreUnavailable, RedisError, TimeoutError, CancelledError)


class ServerCalls:
    """A registry of Prometheus takes its `seconds`. A refusal is an answer too."""

    def __init__(self) -> None:
        self.seconds: Final = Histogram(
            "foldstream_server_call_seconds",
            "How long calls to the event store and queries of Redis took, by whether they were answered.",
            ("server", "call", "result"),
            registry=None,
            buckets=_SECONDS,
        )
        self._histograms: Final = {
            (call, result): self.seconds.labels(server, call, result)
            for call, server in _SERVERS.items()
            for result in ("answered", "failed")
        }

    @contextmanager
    def measured(self, call: Call) -> Iterator[None]:
        """Measures a call, which lasts as long as the block, its wait for a place on the connection included."""
        began, result = perf_counter(), "answered"
        try:
            yield
        except BaseException as error:
            result = "failed" if _is_unanswered(error) else "answered"
            raise
        finally:
            self._histograms[call, result].observe(perf_counter() - began)


def _is_unanswered(error: BaseException) -> bool:
    return isinstance(error, _UNANSWERED) or isinstance(error.__cause__, _UNANSWERED)
