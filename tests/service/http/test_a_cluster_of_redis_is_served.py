"""The API on a Redis Cluster: commands, queries and readiness, as on one Redis."""

from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from domain.stock.stock import stock_id
from infrastructure.eventstore.record import NewRecord
from service.cli.poison.commands import app as poison
from service.consumers import PROJECTIONS
from service.settings import Settings
from service.workers.projections import deployment_of
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.cli.projections.conftest import environment_of
from tests.service.http.api_server import away, serving
from tests.service.http.shop import new_order, new_stock
from tests.support.eventstore import EventStoreProcess
from tests.support.forked import SETTINGS
from tests.support.polling import poll_until
from tests.support.redis_cluster import RedisCluster

WELL = {"ok": True, "state": "ok", "detail": None}


@pytest.fixture(scope="module")
def eventstore_uri() -> Iterator[str]:
    """A store of its own: one of its events would block read models of other tests, too."""
    with EventStoreProcess(None) as process:
        yield process.uri


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    made = RedisCluster()
    yield made
    made.close()


def settings_of(eventstore_uri: str, cluster: RedisCluster) -> Settings:
    return away(eventstore_uri=eventstore_uri, redis_uri=cluster.uri, namespace="clustered", partitions=2)


@pytest.fixture(scope="module")
def http(eventstore_uri: str, cluster: RedisCluster) -> Iterator[httpx.Client]:
    """An API whose read models are kept in two partitions each."""
    settings = settings_of(eventstore_uri, cluster)
    with serving(settings) as client, ThreadWorker(deployment_of(settings), *PROJECTIONS):
        for projection in PROJECTIONS:
            poll_until(partial(is_well, client, projection.name), seconds=30, what=projection.name)
        yield client


def check(http: httpx.Client, name: str) -> dict[str, object]:
    return dict(http.get("/health/ready").json()["checks"][name])


def is_well(http: httpx.Client, name: str) -> bool:
    return check(http, name) == WELL


def test_what_was_ordered_is_found_and_listed(http: httpx.Client) -> None:
    customer = "ada-on-a-cluster"
    orders = [new_order(http, customer_id=customer) for _ in range(6)]
    position = http.post(f"/orders/{orders[0]}/confirm").headers["Foldstream-Position"]
    listed = http.get(f"/customers/{customer}/orders", params={"at_least": position}).json()
    assert [order["id"] for order in listed["orders"]] == orders[::-1]
    status = http.get(f"/orders/{orders[0]}", params={"at_least": position}).json()["status"]
    assert status in {"confirmed", "cancelled"}  # the latter once the saga has found that there is no such account


def test_a_blocked_stream_is_tried_and_skipped(http: httpx.Client, cluster: RedisCluster, eventstore_uri: str) -> None:
    sku, settings = new_stock(http, 3), settings_of(eventstore_uri, cluster)
    environment = {**dict.fromkeys(SETTINGS), **environment_of(settings)}
    with operating(eventstore_uri) as operator:
        operator.append(f"stock-{stock_id(sku)}", NewRecord("StockMelted", b"{}"))
    poll_until(lambda: check(http, "stock_levels")["state"] == "blocked", seconds=30, what="a blocked stream")
    for verb, more, code in (("retry", (), 3), ("skip", ("--why", "a test", "--yes"), 0)):
        arguments = (verb, "stock_levels", f"stock:{sku}", "--wait", "60", *more)
        with capture_logs():
            result = CliRunner().invoke(poison, arguments, env=environment, standalone_mode=False)
        assert (result.return_value, result.exception) == (code, None)
    poll_until(lambda: check(http, "stock_levels")["ok"], seconds=30, what="a released stream")
    assert http.get(f"/stock/{sku}").json()["on_hand"] == 3


def test_readiness_names_the_server_that_is_not_as_it_should_be(http: httpx.Client, cluster: RedisCluster) -> None:
    server = cluster.servers[2]
    server.ask("CONFIG SET", "maxmemory-policy", "allkeys-lru")
    evicts = poll_until(lambda: not_well(http), seconds=10, what="a word of what may be evicted")
    server.ask("CONFIG SET", "min-replicas-to-write", 1)
    refuses = poll_until(lambda: not_well(http, than=evicts), seconds=10, what="a word of refused writes")
    server.ask("CONFIG SET", "min-replicas-to-write", 0)
    server.ask("CONFIG SET", "maxmemory-policy", "noeviction")
    poll_until(lambda: check(http, "redis") == WELL, seconds=10, what="a Redis that is well")
    every = ",".join(each.address for each in cluster.servers)
    assert evicts["state"] == "misconfigured"
    assert str(evicts["detail"]).startswith(f"{server.address}: maxmemory-policy is allkeys-lru: ")
    assert refuses["state"] == "failing"
    assert str(refuses["detail"]).startswith(
        f"redis+cluster://{every}: it can be read, and takes no writes: {server.address}: "
    )


def not_well(http: httpx.Client, than: object = WELL) -> dict[str, object]:
    """What is said of Redis; nothing where all is well, or where no more is said than this."""
    found = check(http, "redis")
    return {} if found in (WELL, than) else found
