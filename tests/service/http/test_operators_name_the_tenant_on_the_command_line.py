"""On the command line `--tenant` says whose histories and sagas are meant; without it they are the default tenant's."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from service.settings import Settings
from tests.service.http.shop import done
from tests.service.http.tenants import Tenants, tenants_of
from tests.service.http.travel import OFFER, SEATS
from tests.support.commands import ran
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

ACME, ZETA = (f"{name}_{uuid4().hex[:8]}" for name in ("acme", "zeta"))
TRIP: Final = str(uuid4())
SKU: Final = f"mug-{uuid4().hex[:8]}"
Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def tenants(service: FoldstreamProcess, eventstore_uri: str, redis_uri: str, namespace: str) -> Iterator[Tenants]:
    """Two with a trip of one id that waits for its airline, and some stock of one SKU."""
    with tenants_of(Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=namespace)) as made:
        for http in map(made.of, (ACME, ZETA)):
            done(http.put(f"/flights/{SEATS['flight']}/{SEATS['cabin']}/{SEATS['departure']}", json=OFFER))
            done(http.post("/trips", json={"id": TRIP, "customer_id": "ada", "flight": SEATS}))
            done(http.post(f"/stock/{SKU}/receipts", json={"quantity": 1}))
        for http in map(made.of, (ACME, ZETA)):
            poll_until(partial(waits, http), seconds=30, what="the airline to be waited for")
        yield made


def instance(http: httpx.Client) -> dict[str, Any]:
    return dict(http.get(f"/sagas/booking/{TRIP}").json())


def waits(http: httpx.Client) -> bool:
    return instance(http).get("deadline") is not None


def is_paused(http: httpx.Client) -> bool:
    return bool(instance(http)["status"] == "paused")


def words_said_to(http: httpx.Client) -> int:
    return len([each for each in instance(http)["timeline"] if each["kind"] == "operator"])


@pytest.fixture
def cli(eventstore_uri: str, redis_uri: str, namespace: str) -> Cli:
    """The document that a command prints; where it is refused its exit code."""
    servers = {"FOLDSTREAM_EVENTSTORE_URI": eventstore_uri, "FOLDSTREAM_REDIS_URI": redis_uri}

    def run(*arguments: str) -> Any:
        code, output, _ = ran(*arguments, "--json", **servers, FOLDSTREAM_NAMESPACE=namespace)
        return json.loads("\n".join(output)) if code == 0 else code

    return run


@pytest.mark.usefixtures("tenants")
def test_instances_are_listed_and_shown_of_that_tenant(cli: Cli) -> None:
    assert [each["id"] for each in cli("sagas", "list", "--tenant", ACME)["sagas"]] == [TRIP]
    assert cli("sagas", "show", "booking", TRIP, "--tenant", ACME)["id"] == TRIP
    assert cli("sagas", "show", "booking", TRIP) == 1


def test_a_word_reaches_the_instances_of_that_tenant_alone(tenants: Tenants, cli: Cli) -> None:
    acme, zeta = tenants.of(ACME), tenants.of(ZETA)
    pause = ("sagas", "pause", "booking", "--why", "to see", "--tenant")
    assert cli(*pause, ACME, TRIP)["changed"]
    poll_until(partial(is_paused, acme), seconds=30, what="the pause")
    assert not is_paused(zeta)
    assert cli(*pause, ZETA, "--all", "--yes")["found"] == 1
    poll_until(partial(is_paused, zeta), seconds=30, what="the other pause")
    assert [
        len([each for each in instance(http)["timeline"] if each["kind"] == "operator"]) for http in (acme, zeta)
    ] == [1, 1]
    resume = ("sagas", "resume", "booking", "--why", "seen", "--yes", "--tenant")  # the service is others', too
    assert [cli(*resume, tenant, "--all")["done"] for tenant in (ACME, ZETA)] == [1, 1]
    poll_until(lambda: not (is_paused(acme) or is_paused(zeta)), seconds=30, what="the end of both pauses")


@pytest.mark.usefixtures("tenants")
def test_a_history_is_that_of_the_tenant_s_stream(cli: Cli) -> None:
    assert cli("history", f"stock:{SKU}", "--tenant", ACME)["stream"].startswith(f"{ACME}.stock-")
    assert cli("history", f"stock:{SKU}") == 1
    assert cli("history", f"stock:{SKU}", "--tenant", "No tenant") == 2


@pytest.mark.usefixtures("tenants")
def test_all_tenants_are_listed_with_what_they_have(cli: Cli) -> None:
    counted = {each["tenant"]: each["streams"] for each in cli("tenants")["tenants"]}
    assert next(iter(counted)) == "default"
    assert [counted[tenant] for tenant in (ACME, ZETA)] == [{"booking": 1, "flight": 1, "stock": 1, "trip": 1}] * 2
