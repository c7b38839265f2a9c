"""The last release and this one on one event store and one Redis, as during an upgrade: all work, nobody is in the way.

`data/last_release.tar.xz` is the last release's product code, made by `make keep-release RELEASE=<its tag>` and made
anew at each release; `xz -dc … | git get-tar-commit-id` says which commit it is. It runs with today's dependencies.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest
import redis

from domain.accounts.account import AccountCharged
from domain.fulfilment.events import FulfilmentStarted
from domain.ordering.events import OrderShipped
from domain.stock.stock import ReservationConsumed, StockReserved
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.readmodels.keys import ProjectionKeys
from service.consumers import DECIDERS, EVENTS, SAGAS
from tests.service.client import Client
from tests.service.release import WORKERS, Release, two_releases
from tests.support.callers import AUTHORIZED
from tests.support.polling import poll_until

NAMESPACE: Final = "upgraded"
SKU: Final = "lamp"
POINTER: Final = ProjectionKeys(NAMESPACE, "account_statement").live
CHECKPOINT: Final = ProjectionKeys(NAMESPACE, "stock_levels").partition(1, 0).checkpoint
NEWER: Final = b'{"format": 99, "place": "elsewhere"}'
CATEGORIES: Final = [*(decider.category for decider in DECIDERS), *(saga.category for saga in SAGAS)]
ONCE: Final = (FulfilmentStarted, StockReserved, AccountCharged, OrderShipped, ReservationConsumed)
VOID: Final = {"CheckpointUnusable", "GenerationLeft", "StoreReplaced"}


@dataclass
class Upgrade:
    """Both releases, the last one first, on their servers, a customer of each API, and what was seen on the way.

    `ready` is what the last release's readiness said of the read models while only this one's workers followed them.
    `stored` is what stood at the newer format's two places after both had met it, and `told` what the queries of
    what it hid were answered meanwhile; `pointers` are those that the last release made by itself.
    """

    last: Release
    this: Release
    clients: tuple[Client, Client]
    eventstore: str
    redis: "redis.Redis"
    account: str = ""
    orders: list[str] = field(default_factory=list)
    pointers: dict[str, Any] = field(default_factory=dict)
    ready: dict[str, str] = field(default_factory=dict)
    stored: list[Any] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)

    @property
    def releases(self) -> tuple[Release, Release]:
        return self.last, self.this

    @property
    def paths(self) -> list[str]:
        """A query of every read model, and of every order."""
        account = f"/accounts/{self.account}"
        queries = [f"/stock/{SKU}", account, f"{account}/statement", "/customers/ada/orders"]
        return [*queries, *(f"/orders/{order}" for order in self.orders)]

    def ship(self, *clients: Client, killed: Release | None = None) -> None:
        """An order at each of these APIs, confirmed at another, under way together; returns when all are shipped.

        Meanwhile the workers of one release may be killed. Those of this one start again: what they began is on a
        version of its saga that the last release does not know, so nobody else ends it.
        """
        orders = [client.order(self.account, (SKU, 2, "2.50")) for client in clients]
        for order, client in zip(orders, reversed(clients), strict=True):
            client.confirm(order)
        if killed is not None:
            killed.kill(*WORKERS)
            if killed is self.this:
                killed.start(*WORKERS)
        assert [clients[0].ended(order)["status"] for order in orders] == ["shipped"] * len(orders)
        self.orders += orders

    def made_pointers(self) -> dict[str, Any]:
        keys = [ProjectionKeys(NAMESPACE, name) for name in self.last.projections]
        names = [name for key in keys for name in (key.live, key.building, key.last_number)]
        values = zip(names, self.redis.mget(names), strict=True)
        return {name: value for name, value in values if value is not None}

    def generations(self) -> set[tuple[int, int] | None]:
        """The versions and numbers of all generations of which anything is stored."""
        keys = [ProjectionKeys(NAMESPACE, name) for name in self.last.projections]
        return {
            each.generation_of(key.decode())
            for each in keys
            for key in self.redis.scan_iter(match=each.generations_pattern, count=1_000)
        }

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for release in self.releases for line in release.logged(event)]


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgrade]:
    with two_releases(NAMESPACE, tmp_path_factory.mktemp("last")) as both:
        upgrade = Upgrade(both.last, both.this, both.clients, both.eventstore, both.redis)
        _go_through(upgrade)
        yield upgrade


def _go_through(upgrade: Upgrade) -> None:
    old, new = upgrade.clients
    upgrade.last.start("api", *WORKERS)
    upgrade.this.start("api")
    upgrade.account = old.account("1000.00")
    old.receive(SKU, 100)
    upgrade.ship(old)
    poll_until(upgrade.last.works, seconds=30, what="the last release's workers")
    upgrade.pointers = upgrade.made_pointers()
    upgrade.this.start(*WORKERS)
    poll_until(upgrade.this.works, seconds=30, what="this release's workers")
    upgrade.ship(old, new, old, new)
    _meet_a_newer_format(upgrade)
    upgrade.ship(old, new, killed=upgrade.this)
    poll_until(upgrade.this.works, seconds=30, what="this release's workers")
    upgrade.ship(old, new, killed=upgrade.last)
    poll_until(lambda: not new.get(f"/stock/{SKU}")["reserved"], seconds=20, what="all handed over")
    upgrade.ready = poll_until(lambda: _readiness(upgrade.last), seconds=20, what="reports of this release alone")
    for client in upgrade.clients:  # so that each API has a token from after all that
        client.receive(SKU, 1)


def _readiness(release: Release) -> dict[str, str]:
    """What it says of the read models, once nothing is left of reports of its own workers' failures."""
    checks = httpx.get(f"{release.url}/health/ready", trust_env=False, headers=AUTHORIZED).json()["checks"]
    states = {name: str(checks[name]["state"]) for name in release.projections}
    return states if set(states.values()) == {"ok"} else {}


def _meet_a_newer_format(upgrade: Upgrade) -> None:
    """A pointer and a checkpoint of a release after both; put back what was there when both have met them."""
    places = (POINTER, CHECKPOINT)
    before: list[Any] = [upgrade.redis.getset(place, NEWER) for place in places]
    account = f"/accounts/{upgrade.account}"
    for client in upgrade.clients:
        client.receive(SKU, 1)
        client.done(f"{account}/deposits", {"amount": "1.00"})
    poll_until(lambda: all(map(_has_met, upgrade.releases)), seconds=20, what="both to meet a newer format")
    upgrade.ship(*upgrade.clients)
    hidden = (f"{account}/statement", f"/stock/{SKU}")
    answers = [
        httpx.get(release.url + path, trust_env=False, headers=AUTHORIZED)
        for release in upgrade.releases
        for path in hidden
    ]
    upgrade.told = [(answer.status_code, answer.json()["rule"]) for answer in answers]
    upgrade.stored = [upgrade.redis.getset(*each) for each in zip(places, before, strict=True)]


def _has_met(release: Release) -> bool:
    undecided = {line["projection"] for line in release.logged("projection_undecided") if "format 99" in line["reason"]}
    failed = {line["projection"] for line in release.logged("projection_failed") if line["error"] == "NewerFormat"}
    return "account_statement" in undecided and "stock_levels" in failed


def test_each_runs_its_own_code(upgrade: Upgrade) -> None:
    places = [release.place_of_code() for release in upgrade.releases]
    assert [(place / "tests").exists() for place in places] == [False, True]


def test_every_order_was_fulfilled_once_whichever_api_took_it(upgrade: Upgrade) -> None:
    with open_reader(upgrade.eventstore) as reader:
        codec = EventCodec(EVENTS)
        records = [record for category in CATEGORIES for record in reader.records(category_pattern([category]))]
        log = [event.event for record in records for event in codec.events_in(record)]
    done = Counter((type(event), event.order_id) for event in log if isinstance(event, ONCE))
    assert done == Counter({(kind, order): 1 for kind in ONCE for order in upgrade.orders})
    assert len(upgrade.orders) == 11


def test_the_read_models_of_both_are_equal_and_true(upgrade: Upgrade) -> None:
    old, new = upgrade.clients
    told = {path: old.get(path) for path in upgrade.paths}
    assert {path: new.get(path) for path in upgrade.paths} == told
    shipped = len(upgrade.orders)
    assert told[f"/accounts/{upgrade.account}"]["balance"] == f"{1002 - 5 * shipped}.00"
    assert (told[f"/stock/{SKU}"]["on_hand"], told[f"/stock/{SKU}"]["reserved"]) == (104 - 2 * shipped, 0)
    assert len(told[f"/accounts/{upgrade.account}/statement"]["entries"]) == 3 + shipped


def test_no_generation_was_retired_or_built_because_of_the_other(upgrade: Upgrade) -> None:
    assert {name: value for name, value in upgrade.made_pointers().items() if name in upgrade.pointers} == (
        upgrade.pointers
    )
    assert upgrade.generations() == {(1, 1)}
    assert upgrade.logged("generation_retired") == []
    flipped = {line["projection"] for line in upgrade.this.logged("generation_flipped")}
    assert flipped & set(upgrade.last.projections) == set()


def test_the_last_release_reads_what_this_one_s_workers_report(upgrade: Upgrade) -> None:
    assert upgrade.ready == dict.fromkeys(upgrade.last.projections, "ok")


def test_whoever_finds_a_checkpoint_moved_begins_again_from_it(upgrade: Upgrade) -> None:
    errors = [{line["error"] for line in release.logged("projection_failed")} for release in upgrade.releases]
    assert ["CheckpointMoved" in met for met in errors] == [True, True]
    assert [met & VOID for met in errors] == [set(), set()]


def test_what_a_still_newer_release_has_stored_is_waited_for_and_left_alone_by_both(upgrade: Upgrade) -> None:
    assert upgrade.stored == [NEWER, NEWER]
    assert upgrade.told == [(503, "read-model-unavailable")] * 4
