"""A saga's worker as a process of its own: what readiness and metrics say while it works, is killed, and gets stuck."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from domain.engine_events import SagaPaused, SagaResumed, SagaStopped
from domain.fulfilment.events import FulfilmentCompleted
from domain.message import Event
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import NewRecord
from service.consumers import SAGA_STATUS
from service.history.sources import CODEC
from service.workers.projections import deployment_of
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import metadata
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.http.api_server import away, serving
from tests.service.sagas.standing import started
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

WELL = {"ok": True, "state": "ok", "detail": None}
IDLE = {
    "saga_workers": 1,
    "saga_waiting_messages": 0,
    "saga_parked_messages": 0,
    "saga_stopped_instances": 0,
    "saga_unsettled_messages": 0,
    "saga_standstill_seconds": 0,
}
HALTED = {"ok": False, "state": "stuck", "detail": "its sweep of the log has halted: 100 messages fail"}


@pytest.fixture
def store() -> Iterator[EventStoreProcess]:
    with EventStoreProcess(None) as process:
        yield process


@contextmanager
def working(store: EventStoreProcess, namespace: str = "foldstream") -> Iterator[Listened]:
    environment = {"FOLDSTREAM_EVENTSTORE_URI": store.uri, "FOLDSTREAM_NAMESPACE": namespace}
    worker = Listened((*FOLDSTREAM, "sagas"), environment)
    try:
        yield worker
    finally:
        worker.kill()


def saga(http: httpx.Client) -> dict[str, object]:
    """What readiness says of it."""
    return dict(http.get("/health/ready").json()["checks"]["fulfilment"])


def figures(http: httpx.Client) -> dict[str, float]:
    """The saga's figures."""
    found = re.findall(r'^foldstream_(saga_\w+)\{saga="fulfilment"\} (.+)$', http.get("/metrics").text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def is_in(http: httpx.Client, state: str) -> bool:
    """Whether the metrics say that the saga is in that state."""
    return f'foldstream_check_state{{check="fulfilment",state="{state}"}} 1.0' in http.get("/metrics").text


def test_a_worker_that_is_killed_is_missed(store: EventStoreProcess, redis_uri: str) -> None:
    with serving(away(eventstore_uri=store.uri, redis_uri=redis_uri)) as http:
        alone = {"ok": False, "state": "stopped", "detail": "has no worker"}
        assert saga(http) == alone
        with working(store):
            poll_until(lambda: saga(http) == WELL, seconds=20, what="a worker that is seen")
            assert figures(http) == IDLE
            assert is_in(http, "ok")
        poll_until(lambda: saga(http) == alone, seconds=5, what="a worker that is missed")
        assert http.get("/health/ready").json()["status"] == "degraded"
        poll_until(lambda: is_in(http, "stopped"), seconds=5, what="the same in the metrics")


def test_an_instance_that_stopped_is_seen_until_an_operator_has_it_go_on(
    store: EventStoreProcess, redis_uri: str
) -> None:
    order = str(uuid4())
    stopped = SagaStopped(stream=f"order-{order}", version=0, position=7, message_id=order, error="a bug")
    with operating(store.uri) as operator:
        operator.append(f"fulfilment-{order}", CODEC.encode(stopped, metadata(stopped, correlation=uuid4())))
    detail = f"1 of its instances has stopped, first fulfilment-{order}"
    with serving(away(eventstore_uri=store.uri, redis_uri=redis_uri)) as http, working(store) as worker:
        poll_until(lambda: saga(http)["detail"] == detail, seconds=20, what="an instance that has stopped")
        assert saga(http) == {"ok": False, "state": "stuck", "detail": detail}
        poll_until(lambda: figures(http) == {**IDLE, "saga_stopped_instances": 1}, seconds=5, what="it in the metrics")
        assert retried(store, order) == (0, "a bug", [])
        refused = f"foldstream sagas: saga-not-retryable: fulfilment-{order} has not stopped"
        assert retried(store, order) == (1, None, [refused])
        poll_until(lambda: saga(http) == WELL, seconds=5, what="none that has stopped")
        poll_until(lambda: is_taken(store, order), seconds=20, what="what waited to be taken")
    assert any("saga_message_gone" in line for line in worker.errors)


def append(store: EventStoreProcess, instance: str, *events: Event) -> None:
    with operating(store.uri) as operator:
        told = [CODEC.encode(event, metadata(event, correlation=uuid4())) for event in events]
        operator.append(f"fulfilment-{instance}", *told)


def test_instances_that_are_paused_or_left_as_they_are_for_long_are_told(
    store: EventStoreProcess, redis_uri: str
) -> None:
    settings = away(
        eventstore_uri=store.uri, redis_uri=redis_uri, namespace=f"seen-{uuid4().hex[:12]}", saga_stuck_seconds=2
    )
    paused, left = str(uuid4()), str(uuid4())
    with (
        serving(settings) as http,
        working(store, settings.namespace),
        ThreadWorker(deployment_of(settings), *SAGA_STATUS),
    ):
        poll_until(lambda: saga(http) == WELL, seconds=20, what="a worker that is seen")
        append(store, paused, FulfilmentCompleted(order_id=paused), SagaPaused(why="the carrier is on strike"))
        told = {"ok": False, "state": "paused", "detail": "1 of its instances is paused"}
        poll_until(lambda: saga(http) == told, seconds=20, what="an instance that is paused")
        assert http.get("/health/ready").json()["status"] == "degraded"
        append(store, paused, SagaResumed(why="it is over"))
        poll_until(lambda: saga(http) == WELL, seconds=20, what="none that is paused")
        append(store, left, started(left))
        since = f"run, and nothing has happened to them for 2 s, first fulfilment-{left}"
        stuck = {"ok": False, "state": "stuck", "detail": f"1 of its instances {since}"}
        poll_until(lambda: saga(http) == stuck, seconds=20, what="an instance that nobody takes")


def retried(store: EventStoreProcess, order: str) -> tuple[int, str | None, list[str]]:
    """How the operator's word was taken: exit code, why the instance stood still until then, and what was told."""
    words = ("sagas", "retry", "fulfilment", order, "--why", "it is mended", "--json", "--eventstore", store.uri)
    done = subprocess.run([*FOLDSTREAM, *words], capture_output=True, check=False, timeout=60)
    answer = json.loads(done.stdout or '{"stopped": null}')
    told = [line for line in done.stderr.decode().splitlines() if not line.startswith("{")]
    return done.returncode, answer["stopped"] and answer["stopped"]["error"], told


def is_taken(store: EventStoreProcess, order: str) -> bool:
    with open_reader(store.uri) as reader:
        records = list(reader.page(f"fulfilment-{order}", 0, 10) or ())
    return [record.type for record in records] == ["SagaStopped", "SagaResumed", "SagaMessageTaken"]


@pytest.mark.soak
def test_a_sweep_that_halts_at_what_no_release_can_read_is_stuck(store: EventStoreProcess, redis_uri: str) -> None:
    with operating(store.uri) as operator:
        for number in range(100):
            operator.append(f"order-{number}", NewRecord("OrderConfirmed", b"{}"))
    with serving(away(eventstore_uri=store.uri, redis_uri=redis_uri)) as http, working(store):
        poll_until(lambda: saga(http) == HALTED, seconds=60, what="a sweep that has halted")
        figured = figures(http)
        assert figured["saga_unsettled_messages"] == 100
        assert figured["saga_waiting_messages"] + figured["saga_parked_messages"] == 100
        assert is_in(http, "stuck")
        assert http.get("/health/ready").json()["status"] == "degraded"
