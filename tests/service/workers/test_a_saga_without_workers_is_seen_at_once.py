"""A saga's worker as a process of its own: what readiness and metrics say while it is there, and when it is killed."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.service.http.api_server import away, serving
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

WELL = {"ok": True, "state": "ok", "detail": None}


@pytest.fixture
def store() -> Iterator[EventStoreProcess]:
    with EventStoreProcess(None) as process:
        yield process


def saga(http: httpx.Client) -> dict[str, object]:
    """What readiness says of it."""
    return dict(http.get("/health/ready").json()["checks"]["fulfilment"])


def figures(http: httpx.Client) -> dict[str, float]:
    """The saga's figures, and the states that are true of it."""
    found = re.findall(r'^foldstream_(saga_\w+)\{saga="fulfilment"\} (.+)$', http.get("/metrics").text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_a_worker_that_is_killed_is_missed(store: EventStoreProcess, redis_uri: str) -> None:
    with serving(away(eventstore_uri=store.uri, redis_uri=redis_uri)) as http:
        assert saga(http) == {"ok": False, "state": "away", "detail": "has no worker"}
        worker = Listened((*FOLDSTREAM, "sagas"), {"FOLDSTREAM_EVENTSTORE_URI": store.uri})
        try:
            poll_until(lambda: saga(http) == WELL, seconds=20, what="a worker that is seen")
            assert figures(http) == {"saga_workers": 1, "saga_waiting_messages": 0, "saga_parked_messages": 0}
            assert 'foldstream_check_state{check="fulfilment",state="ok"} 1.0' in http.get("/metrics").text
        finally:
            worker.kill()
        poll_until(lambda: saga(http)["state"] == "away", seconds=5, what="a worker that is missed")
        assert http.get("/health/ready").json()["status"] == "degraded"
        states = 'foldstream_check_state{check="fulfilment",state="away"} 1.0'
        poll_until(lambda: states in http.get("/metrics").text, seconds=5, what="the same in the metrics")
