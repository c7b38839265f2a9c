"""Live while its loop goes round, ready while it can work, with reasons: over HTTP, and by `foldstream health`."""

import json
import signal
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from infrastructure.outages import Outages
from infrastructure.readmodels.status import Failure, Status, now
from service.addresses import lasting_port
from service.consumers import PROJECTIONS, SAGAS
from service.health.checks import Check, wrong
from service.workers.worker_health import WorkerHealth, of_leases
from tests.service.servers import NOWHERE
from tests.support.clock import Clock
from tests.support.commands import ran
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

OK: Final = {"ok": True, "state": "ok", "detail": None}
NOT_JOINED: Final = {"ok": False, "state": "stopped", "detail": "it is given no messages"}
PORTS: Final = {worker: lasting_port() for worker in ("projections", "sagas")}


@pytest.fixture(scope="module")
def store() -> Iterator[EventStoreProcess]:
    with EventStoreProcess(None) as process:
        yield process


@pytest.fixture(scope="module")
def workers(store: EventStoreProcess, redis_uri: str) -> Iterator[dict[str, Listened]]:
    servers = {"FOLDSTREAM_EVENTSTORE_URI": store.uri, "FOLDSTREAM_REDIS_URI": redis_uri}
    given = {**servers, "FOLDSTREAM_NAMESPACE": f"health-{uuid4().hex[:12]}"}
    started = {
        worker: Listened((*FOLDSTREAM, worker), {**given, "FOLDSTREAM_METRICS_PORT": str(port)})
        for worker, port in PORTS.items()
    }
    yield started
    for process in started.values():
        process.kill()


def answer(worker: str, path: str = "/health/ready") -> tuple[int, dict[str, Any]]:
    """The status and the document; nothing where nobody listens."""
    try:
        found = httpx.get(f"http://127.0.0.1:{PORTS[worker]}{path}", trust_env=False)
    except httpx.TransportError:
        return 0, {}
    return found.status_code, found.json()


def is_ready(worker: str) -> bool:
    return answer(worker)[1].get("status") == "ok"


def asked(worker: str, *arguments: str) -> tuple[int, list[str], list[str]]:
    return ran("health", *arguments, FOLDSTREAM_METRICS_PORT=str(PORTS[worker]))


def test_one_is_ready_with_all_that_it_works_on(workers: dict[str, Listened]) -> None:
    names = [projection.name for projection in PROJECTIONS]
    leases = {"ok": True, "state": "ok", "detail": str(len(names))}
    checks = {"eventstore": OK, "redis": OK, "leases": leases, **dict.fromkeys(names, OK)}
    whole = (200, {"status": "ok", "checks": checks})
    poll_until(lambda: answer("projections") == whole, seconds=30, what="all projections")
    poll_until(lambda: is_ready("sagas"), seconds=30, what="all sagas")
    sagas = dict.fromkeys((saga.category for saga in SAGAS), OK)
    assert answer("sagas") == (200, {"status": "ok", "checks": {"eventstore": OK, "redis": OK, **sagas}})
    code, lines, errors = asked("sagas")
    assert (code, [line.split() for line in lines], errors) == (
        0,
        [["check", "state", "detail"], ["ready", "ok"], *([name, "ok"] for name in ("eventstore", "redis", *sagas))],
        [],
    )
    assert ran("health", "live", "--json", "--port", str(PORTS["projections"])) == (
        0,
        ["{", '  "status": "ok"', "}"],
        [],
    )


@pytest.mark.parametrize("worker", PORTS)
def test_without_its_store_it_lives_is_not_ready_says_why_and_recovers(
    workers: dict[str, Listened], store: EventStoreProcess, worker: str
) -> None:
    poll_until(lambda: is_ready(worker), seconds=30, what=f"{worker} at work")
    store.kill()
    try:
        poll_until(lambda: answer(worker)[0] == 503, seconds=30, what="that the store is missed")
        document = answer(worker)[1]
        away = document["checks"]["eventstore"]
        assert (document["status"], away["ok"], away["state"]) == ("unable", False, "away")
        assert away["detail"].startswith(f"The event store at 127.0.0.1:{store.port} can't be used: ")
        code, lines, errors = asked(worker, "ready", "--json")
        assert (code, json.loads("".join(lines))["checks"]["eventstore"]["state"], errors) == (3, "away", [])
        assert answer(worker, "/health/live") == (200, {"status": "ok"})
        assert asked(worker, "live")[0] == 0
    finally:
        store.start()
    poll_until(lambda: is_ready(worker), seconds=30, what=f"{worker} at work again")
    assert workers[worker].exit_code is None


def test_before_it_has_joined_its_groups_it_is_not_ready() -> None:
    port = lasting_port()
    worker = Listened((*FOLDSTREAM, "sagas"), {**NOWHERE, "FOLDSTREAM_METRICS_PORT": str(port)})
    try:
        url = f"http://127.0.0.1:{port}/health/"
        poll_until(lambda: not isinstance(seen(url + "live"), str), seconds=30, what="an answer")
        found = httpx.get(url + "ready", trust_env=False)
        checks = found.json()["checks"]
        assert (found.status_code, found.json()["status"]) == (503, "unable")
        assert [checks[saga.category] for saga in SAGAS] == [NOT_JOINED for _ in SAGAS]
        assert httpx.get(url, trust_env=False).status_code == 404
    finally:
        worker.send(signal.SIGTERM)
        assert worker.wait(within=20) == 0


def seen(url: str) -> httpx.Response | str:
    try:
        return httpx.get(url, trust_env=False)
    except httpx.TransportError as error:
        return str(error)


def test_who_asks_nobody_gets_one_line() -> None:
    port = lasting_port()
    code, lines, (line,) = ran("health", "live", "--port", str(port))
    assert (code, lines) == (1, [])
    assert line.startswith(f"foldstream health: nothing that could tell answers at 127.0.0.1:{port}: ")
    assert ran("health") == (
        2,
        [],
        ["foldstream health: FOLDSTREAM_METRICS_PORT: is not set; it, or --port, says where to ask"],
    )


def test_one_whose_loop_stands_still_is_not_live_until_it_goes_round_again() -> None:
    clock = Clock()
    outages = Outages(clock)
    health = WorkerHealth(outages, {"eventstore"}, dict)
    clock.now += 29.9
    assert health.is_alive
    clock.now += 0.2
    assert not health.is_alive
    outages.tick()
    assert health.is_alive


def test_a_projection_fares_as_its_worst_partition_and_the_leases_are_told() -> None:
    failed = Failure(error="StoreUnavailable", reason="no answer within 5 s")
    reports = {
        ("order_summary", 1, 0): Status(worker="w", state="live", at=now()),
        ("order_summary", 1, 1): Status(worker="w", state="failed", failure=failed, at=now()),
        ("stock_levels", 1, 0): Status(worker="w", state="catching_up", at=now()),
        ("stock_levels", 1, 1): Status(worker="w", state="live", at=now()),
    }
    assert of_leases(reports, joined=True) == {
        "leases": Check(ok=True, detail="4"),
        "order_summary": wrong("away", "no answer within 5 s"),
        "stock_levels": wrong("behind", "is catching up"),
    }
    nothing = Check(ok=True, detail="none: others have them, or nothing is to be done")
    assert of_leases({}, joined=True) == {"leases": nothing}
    assert of_leases({}, joined=False) == {"leases": wrong("stopped", "it does not share in the work yet")}
