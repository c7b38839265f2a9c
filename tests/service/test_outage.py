"""A service whose event store is not there yet answers for itself, and is ready as soon as it comes."""

import socket
from pathlib import Path

import httpx

from tests.service.client import Client
from tests.service.test_orders import stock
from tests.support.eventstore import EventStoreProcess
from tests.support.processes import eventually
from tests.support.service import FoldstreamProcess


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_store_that_comes_late(tmp_path: Path) -> None:
    port = free_port()
    address = f"esdb://127.0.0.1:{port}?tls=false"
    service = FoldstreamProcess(tmp_path, {"FOLDSTREAM_EVENTSTORE_URI": address})
    with service.launch():
        url = eventually(lambda: service.uri_of("api") if "api" in service.processes else "", within=30, what="the API")
        with httpx.Client(base_url=url, timeout=20, trust_env=False) as http:
            assert http.get("/health/live").status_code == 200
            assert http.get("/health/ready").status_code == 503
        awaited = eventually(lambda: _awaited(service), within=30, what="a word about what is missing")
        assert f'"eventstore": "{address}"' in awaited
        assert service.process.output == []
        with EventStoreProcess(None, port=port), Client(service.await_ready().url) as client:
            assert "eventstore" not in service.processes
            client.receive("lamp", 3)
            client.becomes("/stock/lamp", stock("lamp", 3, version=1))
            assert service.stop() == 0


def _awaited(service: FoldstreamProcess) -> str:
    return next((line for line in service.process.errors if "service_awaited" in line), "")
