"""A well-formed call of every route, about a thing of a certain owner."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import uuid4

import httpx

from service.consumers import PROJECTIONS
from tests.service.http.shop import LAMP, done, new_account, new_order
from tests.service.http.travel import OFFER, SEATS, new_trip
from tests.support.callers import header_of
from tests.support.polling import poll_until

Route = tuple[str, str]
"""Method and template of the path."""


class Call(NamedTuple):
    """What is sent to a route."""

    path: str
    body: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class World:
    """Things of one owner, in the default tenant, that are there to be read; `http` is an administrator's.

    `elsewhere` is another tenant; it has only stock and offers.
    """

    http: httpx.Client
    owner: str
    elsewhere: str
    order: str
    account: str
    trip: str
    correlation: str

    def new_order(self) -> str:
        return new_order(self.http, customer_id=self.owner)

    def new_account(self) -> str:
        return new_account(self.http, owner_id=self.owner)

    def new_trip(self) -> str:
        return new_trip(self.http, customer_id=self.owner)


def new_world(http: httpx.Client, owner: str) -> World:
    """Makes the things, and waits until they are all told of."""
    elsewhere = f"t{uuid4().hex[:12]}"
    for header in (None, header_of("tester", "administrator", tenant=elsewhere)):
        for path in (_CAR, _ROOM, _FLIGHT):
            done(http.put(path, json=OFFER, headers=header))
        done(http.post("/stock/lamp/receipts", json={"quantity": 1}, headers=header))
    account, trip = new_account(http, owner_id=owner), new_trip(http, customer_id=owner)
    order = new_order(http, customer_id=owner, account_id=account)
    done(http.post(f"/trips/{trip}/cancel"))
    confirmed = http.post(f"/orders/{order}/confirm")
    world = World(http, owner, elsewhere, order, account, trip, confirmed.headers["Foldstream-Correlation-Id"])
    _await_all(world)
    return world


def _await_all(world: World) -> None:
    http, saga = world.http, f"/sagas/fulfilment/{world.order}"
    poll_until(lambda: http.get(saga).json().get("status") in ENDED, seconds=60, what="the end of the saga")
    told = f"/customers/{world.owner}/notifications"
    poll_until(lambda: http.get(told).json().get("notifications"), seconds=60, what="the notification")
    shown: dict[str, Any] = {"consistency": ",".join(each.name for each in PROJECTIONS), "wait": 30}
    deposited = http.post(f"/accounts/{world.account}/deposits", json={"amount": "1.00"}, params=shown)
    assert deposited.status_code == 200, "a read model is behind"


_CAR: Final = "/cars/lisbon/compact/2026-07-01"
_ROOM: Final = "/rooms/alfama-inn/double/2026-07-01"
_FLIGHT: Final = "/flights/TP571/economy/2026-07-01"
ENDED: Final = {"completed", "compensated", "failed"}
_ORDER: Final = {"account_id": str(uuid4()), "currency": "EUR", "items": [LAMP]}
_WHY: Final = {"why": "somebody asked"}
_SAGA_WORDS: Final[Mapping[str, dict[str, Any] | None]] = {
    "retry": _WHY,
    "skip": {**_WHY, "step": "charge"},
    "compensate": _WHY,
    "cancel": _WHY,
    "pause": _WHY,
    "resume": _WHY,
    "migrate": _WHY,
    "signals/{name}": None,
}
_REPORTS: Final = (
    "",
    "/revenue",
    "/orders-by-status",
    "/average-basket",
    "/top-products",
    "/conversion",
    "/fulfilment-time",
)


def _word(word: str, body: dict[str, Any] | None) -> Callable[[World, str], Call]:
    return lambda world, _: Call(f"/sagas/fulfilment/{world.order}/{word.replace('{name}', 'parcel-lost')}", body)


def _fixed(path: str) -> Callable[[World, str], Call]:
    return lambda *_: Call(path)


CALLS: Final[Mapping[Route, Callable[[World, str], Call]]] = {
    ("GET", "/"): _fixed("/"),
    ("GET", "/docs"): _fixed("/docs"),
    ("GET", "/openapi.json"): _fixed("/openapi.json"),
    ("GET", "/health/live"): _fixed("/health/live"),
    ("GET", "/health/ready"): _fixed("/health/ready"),
    ("GET", "/metrics"): _fixed("/metrics"),
    ("POST", "/orders"): lambda _, owner: Call("/orders", {**_ORDER, "customer_id": owner}),
    ("POST", "/orders/{order_id}/items"): lambda world, _: Call(f"/orders/{world.new_order()}/items", LAMP),
    ("DELETE", "/orders/{order_id}/items/{line}"): lambda world, _: Call(f"/orders/{world.new_order()}/items/1"),
    ("POST", "/orders/{order_id}/confirm"): lambda world, _: Call(f"/orders/{world.new_order()}/confirm"),
    ("POST", "/orders/{order_id}/cancel"): lambda world, _: Call(f"/orders/{world.new_order()}/cancel"),
    ("GET", "/orders/{order_id}"): lambda world, _: Call(f"/orders/{world.order}"),
    ("GET", "/orders"): _fixed("/orders"),
    ("GET", "/customers/{customer_id}/orders"): lambda world, _: Call(f"/customers/{world.owner}/orders"),
    ("POST", "/accounts"): lambda _, owner: Call("/accounts", {"owner_id": owner, "currency": "EUR"}),
    ("POST", "/accounts/{account_id}/deposits"): lambda world, _: Call(
        f"/accounts/{world.account}/deposits", {"amount": "1.00"}
    ),
    ("POST", "/accounts/{account_id}/withdrawals"): lambda world, _: Call(
        f"/accounts/{world.account}/withdrawals", {"amount": "1000000.00"}
    ),
    ("GET", "/accounts/{account_id}"): lambda world, _: Call(f"/accounts/{world.account}"),
    ("GET", "/accounts/{account_id}/statement"): lambda world, _: Call(f"/accounts/{world.account}/statement"),
    ("GET", "/accounts"): _fixed("/accounts"),
    ("POST", "/trips"): lambda _, owner: Call("/trips", {"customer_id": owner, "flight": SEATS}),
    ("POST", "/trips/{trip_id}/cancel"): lambda world, _: Call(f"/trips/{world.new_trip()}/cancel"),
    ("POST", "/trips/{trip_id}/flight/confirm"): lambda world, _: Call(f"/trips/{world.trip}/flight/confirm"),
    ("POST", "/trips/{trip_id}/flight/decline"): lambda world, _: Call(f"/trips/{world.trip}/flight/decline"),
    ("GET", "/trips/{trip_id}"): lambda world, _: Call(f"/trips/{world.trip}"),
    ("GET", "/customers/{customer_id}/trips"): lambda world, _: Call(f"/customers/{world.owner}/trips"),
    ("GET", "/customers/{customer_id}/notifications"): lambda world, _: Call(f"/customers/{world.owner}/notifications"),
    ("POST", "/stock/{sku}/receipts"): lambda *_: Call("/stock/lamp/receipts", {"quantity": 1}),
    ("POST", "/stock/{sku}/damages"): lambda *_: Call("/stock/lamp/damages", {"quantity": 1_000_000}),
    ("GET", "/stock/{sku}"): _fixed("/stock/lamp"),
    ("GET", "/stock"): _fixed("/stock"),
    ("PUT", "/cars/{station}/{car_class}/{day}"): lambda *_: Call(_CAR, OFFER),
    ("GET", "/cars/{station}/{car_class}/{day}"): _fixed(_CAR),
    ("PUT", "/rooms/{hotel}/{room_type}/{night}"): lambda *_: Call(_ROOM, OFFER),
    ("GET", "/rooms/{hotel}/{room_type}/{night}"): _fixed(_ROOM),
    ("PUT", "/flights/{flight}/{cabin}/{departure}"): lambda *_: Call(_FLIGHT, OFFER),
    ("GET", "/flights/{flight}/{cabin}/{departure}"): _fixed(_FLIGHT),
    ("GET", "/sagas"): _fixed("/sagas"),
    ("GET", "/sagas/{saga_type}/{saga_id}"): lambda world, _: Call(f"/sagas/fulfilment/{world.order}"),
    **{
        ("POST", f"/sagas/{{saga_type}}/{{instance_id}}/{word}"): _word(word, body)
        for word, body in _SAGA_WORDS.items()
    },
    **{("GET", f"/dashboard{name}"): _fixed(f"/dashboard{name}") for name in _REPORTS},
    ("GET", "/history/{stream}"): lambda world, _: Call(f"/history/order-{world.order}"),
    ("GET", "/history/{stream}/as-of"): lambda world, _: Call(f"/history/order-{world.order}/as-of?version=0"),
    ("GET", "/history/{stream}/changes"): lambda world, _: Call(f"/history/order-{world.order}/changes"),
    ("GET", "/history/trace/{correlation_id}"): lambda world, _: Call(f"/history/trace/{world.correlation}"),
    ("GET", "/access-log"): _fixed("/access-log"),
}
"""By route; the second argument is whom a creation names as its owner."""
