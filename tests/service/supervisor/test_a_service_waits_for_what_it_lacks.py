"""A service that lacks something says so: it waits for what may come, and serves without what will not."""

import json
import socket
from pathlib import Path
from typing import Any

import httpx

from infrastructure.eventstore.record import NewRecord
from service.consumers import PROJECTIONS
from tests.infrastructure.eventstore.operator import operating
from tests.service.client import Client, stock_level
from tests.support.callers import AUTHORIZED
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.redis import RedisProcess
from tests.support.service import FoldstreamProcess


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_servers_that_come_late(tmp_path: Path) -> None:
    port, redis = free_port(), RedisProcess()
    store_uri, redis_uri = f"esdb://127.0.0.1:{port}?tls=false", f"unix://{redis.data}/redis.sock"
    service = FoldstreamProcess(tmp_path, {"FOLDSTREAM_EVENTSTORE_URI": store_uri, "FOLDSTREAM_REDIS_URI": redis_uri})
    try:
        with service.launch():
            url = poll_until(
                lambda: service.uri_of("api") if "api" in service.processes else "", seconds=30, what="API"
            )
            assert _answers(url) == {"/health/live": 200, "/health/ready": 503}
            awaited = poll_until(lambda: _awaited(service), seconds=30, what="a word about what is missing")
            assert (awaited["eventstore"], awaited["redis"]) == (f"127.0.0.1:{port}", redis_uri)
            assert service.process.output == []
            assert list(service.processes) == ["supervisor", "projections", "sagas", "api"]
            redis.start()
            with EventStoreProcess(None, port=port), Client(service.await_ready().url) as client:
                client.receive("lamp", 3)
                client.assert_becomes("/stock/lamp", stock_level("lamp", 3, version=1))
                assert service.stop() == 0
    finally:
        redis.close()


def test_a_stream_that_nobody_can_read_keeps_nothing_else_from_being_served(tmp_path: Path) -> None:
    with EventStoreProcess(None) as store, operating(store.uri) as operator:
        operator.append("order-0", NewRecord("OrderOverturned", b"{}"))
        service = FoldstreamProcess(tmp_path, {"FOLDSTREAM_EVENTSTORE_URI": store.uri})
        with service, Client(service.url) as client:
            ready = client.get("/health/ready")
            assert ready["status"] == "degraded"
            blocked = {name for name, check in ready["checks"].items() if check["state"] == "blocked"}
            assert blocked == {each.name for each in PROJECTIONS if each.category == "order"}
            assert {check["state"] for name, check in ready["checks"].items() if name not in blocked} == {"ok"}
            client.receive("lamp", 3)
            client.assert_becomes("/stock/lamp", stock_level("lamp", 3, version=1))


def _answers(url: str) -> dict[str, int]:
    with httpx.Client(base_url=url, timeout=20, trust_env=False, headers=AUTHORIZED) as http:
        return {path: http.get(path).status_code for path in ("/health/live", "/health/ready")}


def _awaited(service: FoldstreamProcess) -> dict[str, Any]:
    line = next((line for line in service.process.errors if "service_awaited" in line), "{}")
    return dict(json.loads(line))
