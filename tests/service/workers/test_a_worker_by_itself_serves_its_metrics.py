"""A worker's own port for metrics: on this machine alone, off unless it is asked for, refused where it is taken."""

import socket
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from service.addresses import lasting_port
from service.consumers import PROJECTIONS
from tests.service.servers import NOWHERE
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened


@pytest.fixture
def port() -> int:
    return lasting_port()


@pytest.fixture
def taken(port: int) -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", port)):
        yield port


def metrics(port: int, host: str = "127.0.0.1") -> str:
    """What is answered on that port; nothing where nobody listens."""
    try:
        return httpx.get(f"http://{host}:{port}/metrics", trust_env=False).text
    except httpx.TransportError:
        return ""


def test_projections_tell_what_each_partition_does(eventstore_uri: str, redis_uri: str, port: int) -> None:
    environment = {
        "FOLDSTREAM_EVENTSTORE_URI": eventstore_uri,
        "FOLDSTREAM_REDIS_URI": redis_uri,
        "FOLDSTREAM_NAMESPACE": f"metrics-{uuid4().hex[:12]}",
        "FOLDSTREAM_METRICS_PORT": str(port),
    }
    worker = Listened((*FOLDSTREAM, "projections"), environment)
    live = [
        f'foldstream_projection_state{{generation="1",partition="0",projection="{each.name}",state="live"}} 1.0'
        for each in PROJECTIONS
    ]
    try:
        poll_until(lambda: set(live) <= set(metrics(port).splitlines()), seconds=30, what="five that are live")
        [rates, batches] = [
            [line for line in metrics(port).splitlines() if line.startswith(f"foldstream_projection_{name}{{")]
            for name in ("events_per_second", "batch_events")
        ]
        assert (len(rates), len(batches)) == (len(PROJECTIONS), len(PROJECTIONS))
        assert "process_resident_memory_bytes " in metrics(port)
        assert 'foldstream_projection_batch_seconds_bucket{le="+Inf",projection="order_summary"} ' in metrics(port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=5)
    finally:
        worker.kill()


def test_sagas_tell_what_their_commands_came_to(port: int) -> None:
    worker = Listened((*FOLDSTREAM, "sagas"), {**NOWHERE, "FOLDSTREAM_METRICS_PORT": str(port)})
    try:
        text = poll_until(lambda: metrics(port), seconds=30, what="an answer")
        assert 'foldstream_aggregate_cache_total{result="hit"} 0.0' in text.splitlines()
        assert 'foldstream_saga_steps_total{result="answered",saga="fulfilment"} 0.0' in text.splitlines()
    finally:
        worker.kill()


@pytest.mark.parametrize("process", [("api", "--port", "0"), ("sagas",)], ids=["api", "sagas"])
def test_another_address_may_be_chosen(process: tuple[str, ...], port: int) -> None:
    chosen = {"FOLDSTREAM_METRICS_HOST": "127.0.0.2", "FOLDSTREAM_METRICS_PORT": str(port)}
    worker = Listened((*FOLDSTREAM, *process), {**NOWHERE, **chosen})
    try:
        text = poll_until(lambda: metrics(port, "127.0.0.2"), seconds=30, what="an answer")
        assert 'foldstream_aggregate_cache_total{result="hit"} 0.0' in text.splitlines()
        assert metrics(port) == ""
    finally:
        worker.kill()


@pytest.mark.parametrize("worker", ["projections", "sagas"])
def test_a_port_that_is_taken_is_one_line(worker: str, taken: int) -> None:
    process = Listened((*FOLDSTREAM, worker), {**NOWHERE, "FOLDSTREAM_METRICS_PORT": str(taken)})
    assert process.wait(within=30) == 1
    assert process.errors == [f"foldstream {worker}: can't listen on 127.0.0.1:{taken}: the port is in use"]
