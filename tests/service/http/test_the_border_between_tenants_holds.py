"""Whatever a caller of one tenant names of another's, it is as if that weren't there, and nothing of it is changed."""

import json
from collections.abc import Callable, Iterator
from typing import Final
from uuid import uuid4

import httpx
import pytest

from domain.stock.stock import stock_id
from service.settings import Settings
from tests.service.http.shop import done, order_form, read, told
from tests.service.http.tenants import Tenants, tenants_of
from tests.service.http.travel import CAR, OFFER
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

ACME, ZETA, OTHER = (f"{name}_{uuid4().hex[:8]}" for name in ("acme", "zeta", "other"))
ORDER, CONFIRMED, ACCOUNT, TRIP = (f"7e4a1c00-0000-4000-8000-00000000000{digit}" for digit in "4567")
SKU, CUSTOMER = "mug-of-tenants", "ada-of-tenants"
KEY: Final = {"Idempotency-Key": "1"}
LINE: Final = {"sku": SKU, "quantity": 2, "unit_price": "3.00"}
Ask = Callable[[httpx.Client], httpx.Response]


@pytest.fixture(scope="module")
def tenants(service: FoldstreamProcess, eventstore_uri: str, redis_uri: str, namespace: str) -> Iterator[Tenants]:
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=namespace)
    with tenants_of(settings) as made:
        yield made


@pytest.fixture(scope="module")
def acme(tenants: Tenants) -> httpx.Client:
    """A tenant with an order that was shipped, another one, a trip that was booked, and what they needed."""
    http = tenants.of(ACME)
    done(http.post("/accounts", json={"id": ACCOUNT, "owner_id": CUSTOMER, "currency": "EUR"}))
    done(http.post(f"/accounts/{ACCOUNT}/deposits", json={"amount": "50.00"}))
    done(http.post(f"/stock/{SKU}/receipts", json={"quantity": 10}))
    for day in ("01", "02", "03"):
        done(http.put(f"/cars/{CAR['station']}/{CAR['car_class']}/2026-07-{day}", json=OFFER))
    for order_id in (ORDER, CONFIRMED):
        form = {"id": order_id, "customer_id": CUSTOMER, "account_id": ACCOUNT, "items": [LINE]}
        done(http.post("/orders", json=order_form(**form), headers=KEY))
    done(http.post(f"/orders/{CONFIRMED}/confirm"))
    done(http.post("/trips", json={"id": TRIP, "customer_id": CUSTOMER, "car": CAR}))
    ended(http, f"/orders/{CONFIRMED}", "shipped")
    ended(http, f"/trips/{TRIP}", "booked")
    settled = ("/sagas?status=completed", f"/stock/{SKU}", "/dashboard/revenue", f"/customers/{CUSTOMER}/notifications")
    poll_until(lambda: came(http, *settled), seconds=30, what="what follows from them")
    return http


def ended(http: httpx.Client, path: str, status: str) -> None:
    poll_until(lambda: http.get(path).json().get("status") == status, seconds=30, what=f"{path} to be {status}")


def came(http: httpx.Client, sagas: str, stock: str, revenue: str, notifications: str) -> bool:
    """Each read model has come to what the sagas left in the end."""
    return (
        len(http.get(sagas).json()["sagas"]) == 2
        and http.get(stock).json()["on_hand"] == 8
        and http.get(revenue).json()["days"] != []
        and http.get(notifications).json()["notifications"] != []
    )


def test_a_tenant_s_orders_and_trips_go_their_whole_way_among_its_own_streams(acme: httpx.Client) -> None:
    stock = acme.get(f"/stock/{SKU}").json()
    assert (stock["on_hand"], stock["reserved"]) == (8, 0)
    assert acme.get(f"/accounts/{ACCOUNT}").json()["balance"] == "44.00"
    day = acme.get(f"/cars/{CAR['station']}/{CAR['car_class']}/2026-07-01").json()
    assert (day["confirmed"], day["available"]) == (1, 2)
    kinds = [each["kind"] for each in acme.get(f"/customers/{CUSTOMER}/notifications").json()["notifications"]]
    assert kinds == ["trip-booked"]
    assert [each["status"] for each in acme.get("/sagas").json()["sagas"]] == ["completed", "completed"]
    assert acme.get("/dashboard/orders-by-status").json() == {
        "pending": 1,
        "confirmed": 0,
        "shipped": 1,
        "cancelled": 0,
    }
    assert acme.get("/dashboard/top-products").json() == {"products": [{"sku": SKU, "quantity": 2}]}


THINGS: Final = (
    f"/orders/{ORDER}",
    f"/accounts/{ACCOUNT}",
    f"/accounts/{ACCOUNT}/statement",
    f"/stock/{SKU}",
    f"/trips/{TRIP}",
    f"/cars/{CAR['station']}/{CAR['car_class']}/2026-07-01",
    f"/sagas/fulfilment/{CONFIRMED}",
    f"/sagas/booking/{TRIP}",
    f"/history/order-{ORDER}",
    f"/history/order-{ORDER}/as-of?version=0",
    f"/history/order-{ORDER}/changes",
    f"/history/stock:{SKU}",
    f"/history/fulfilment-{CONFIRMED}",
    f"/history/{ORDER}",
)
UNKNOWN: Final = {
    **{each: f"{each[:-1]}{int(each[-1]) - 4}" for each in (ORDER, CONFIRMED, ACCOUNT, TRIP)},
    SKU: "mug-of-nobody",
    stock_id(SKU): stock_id("mug-of-nobody"),
    str(CAR["station"]): "nowhere",
}


def renamed(text: str, names: dict[str, str]) -> str:
    for name, other in names.items():
        text = text.replace(name, other)
    return text


@pytest.mark.parametrize("path", THINGS)
@pytest.mark.parametrize("tenant", [ZETA, "default"], ids=["another", "default"])
def test_a_thing_of_another_is_unknown_as_one_that_there_never_was(
    tenants: Tenants, acme: httpx.Client, path: str, tenant: str
) -> None:
    assert path == f"/history/{ORDER}" or acme.get(path).status_code == 200
    other = tenants.of(tenant)
    refused, never = other.get(path), other.get(renamed(path, UNKNOWN))
    assert refused.status_code == 404
    assert told(never) == (404, json.loads(renamed(refused.text, UNKNOWN)))
    assert ACME not in refused.text


LISTS: Final = {
    "/orders": "orders",
    "/stock": "stock",
    "/stock?below=1000": "stock",
    "/accounts": "accounts",
    f"/accounts?owner_id={CUSTOMER}": "accounts",
    f"/customers/{CUSTOMER}/orders": "orders",
    f"/customers/{CUSTOMER}/trips": "trips",
    f"/customers/{CUSTOMER}/notifications": "notifications",
    "/sagas": "sagas",
    f"/sagas?key={CONFIRMED}": "sagas",
    "/sagas?type=fulfilment&status=completed": "sagas",
    "/dashboard/revenue": "days",
    "/dashboard/conversion": "days",
    "/dashboard/fulfilment-time": "days",
    "/dashboard/average-basket": "currencies",
    "/dashboard/top-products": "products",
}


@pytest.mark.parametrize("path", LISTS)
def test_no_list_and_no_figure_of_one_has_anything_of_another(tenants: Tenants, acme: httpx.Client, path: str) -> None:
    assert acme.get(path).json()[LISTS[path]] != []
    assert tenants.of(ZETA).get(path).json().get(LISTS[path]) == []


def test_the_page_of_all_figures_is_that_of_the_caller(tenants: Tenants, acme: httpx.Client) -> None:
    assert SKU in acme.get("/dashboard").text
    figures = tenants.of(ZETA).get("/dashboard")
    assert figures.status_code == 200
    assert SKU not in figures.text
    assert figures.json()["orders_by_status"] == {"pending": 0, "confirmed": 0, "shipped": 0, "cancelled": 0}


COMMANDS: Final[dict[str, Ask]] = {
    "add": lambda http: http.post(f"/orders/{ORDER}/items", json=LINE),
    "remove": lambda http: http.delete(f"/orders/{ORDER}/items/1"),
    "confirm": lambda http: http.post(f"/orders/{ORDER}/confirm"),
    "cancel": lambda http: http.post(f"/orders/{ORDER}/cancel"),
    "withdraw": lambda http: http.post(f"/accounts/{ACCOUNT}/withdrawals", json={"amount": "1.00"}),
    "damage": lambda http: http.post(f"/stock/{SKU}/damages", json={"quantity": 1}),
    "cancel the trip": lambda http: http.post(f"/trips/{TRIP}/cancel"),
    "answer for the airline": lambda http: http.post(f"/trips/{TRIP}/flight/confirm"),
    "pause": lambda http: http.post(f"/sagas/fulfilment/{CONFIRMED}/pause", json={"why": "to see"}),
    "compensate": lambda http: http.post(f"/sagas/booking/{TRIP}/compensate", json={"why": "to see"}),
    "signal": lambda http: http.post(f"/sagas/booking/{TRIP}/signals/word", json={}),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_no_command_reaches_what_another_has(tenants: Tenants, acme: httpx.Client, what: str) -> None:
    before = [acme.get(path).json() for path in THINGS[:9]]
    refused = COMMANDS[what](tenants.of(ZETA))
    assert (refused.status_code, refused.json()["rule"].partition("-")[0]) == (404, "unknown")
    assert [acme.get(path).json() for path in THINGS[:9]] == before


def test_the_same_id_sku_and_key_are_another_thing_and_another_command(tenants: Tenants, acme: httpx.Client) -> None:
    other = tenants.of(f"same_{uuid4().hex[:8]}")
    form = order_form(id=ORDER, customer_id=CUSTOMER, items=[{**LINE, "quantity": 7}])
    created = other.post("/orders", json=form, headers=KEY)
    assert created.status_code == 201
    received = other.post(f"/stock/{SKU}/receipts", json={"quantity": 1}, headers=KEY)
    assert received.status_code == 201
    assert read(other, f"/orders/{ORDER}", created)["total"] == "21.00"
    assert read(other, f"/stock/{SKU}", received)["available"] == 1
    assert read(acme, f"/orders/{ORDER}", received)["total"] == "6.00"
    assert read(acme, f"/stock/{SKU}", received)["available"] == 8
    own = [each["id"] for each in other.get(f"/customers/{CUSTOMER}/orders").json()["orders"]]
    assert own == [ORDER]


def test_a_key_of_a_creation_makes_a_thing_of_each_tenant(tenants: Tenants, acme: httpx.Client) -> None:
    form = order_form()
    ids = [done(tenants.of(tenant).post("/orders", json=form, headers=KEY))["id"] for tenant in (ZETA, OTHER)]
    assert ids[0] != ids[1]
    assert tenants.of(OTHER).get(f"/orders/{ids[0]}").status_code == 404


@pytest.mark.parametrize("path", ["/orders", f"/customers/{CUSTOMER}/orders", "/sagas"])
def test_a_cursor_of_another_leads_to_one_s_own_alone(tenants: Tenants, acme: httpx.Client, path: str) -> None:
    first = acme.get(path, params={"limit": 1}).json()
    assert first["next"] is not None
    alone = tenants.of(f"alone_{uuid4().hex[:8]}")
    assert alone.get(path, params={"cursor": first["next"]}).json() == {path.rpartition("/")[2]: [], "next": None}


def test_a_position_of_another_is_waited_for_and_shows_nothing_of_it(tenants: Tenants, acme: httpx.Client) -> None:
    written = acme.post(f"/accounts/{ACCOUNT}/deposits", json={"amount": "1.00"})
    token = done(written)["position"]
    answer = tenants.of(ZETA).get(f"/accounts/{ACCOUNT}", params={"at_least": token, "wait": 30})
    assert (answer.status_code, answer.json()["rule"]) == (404, "unknown-account")
    done(acme.post(f"/accounts/{ACCOUNT}/withdrawals", json={"amount": "1.00"}))


@pytest.mark.parametrize("name", [f"order-{ORDER}", f"order-{UNKNOWN[ORDER]}", f"stock:{SKU}"])
def test_a_name_with_a_tenant_in_front_is_that_of_no_stream(tenants: Tenants, acme: httpx.Client, name: str) -> None:
    for tenant in (ACME, ZETA, "default"):
        for prefix in (ACME, "default", tenant):
            refused = tenants.of(tenant).get(f"/history/{prefix}.{name}")
            assert (refused.status_code, refused.json()["detail"]) == (404, f"There is no stream {prefix}.{name}.")


def test_a_history_names_streams_as_their_tenant_does(acme: httpx.Client) -> None:
    history = acme.get(f"/history/order-{ORDER}").json()
    assert history["stream"] == f"order-{ORDER}"
    assert [each["type"] for each in history["events"]] == ["OrderCreated"]
    state = acme.get(f"/history/order-{ORDER}/as-of?version=0").json()
    assert (state["stream"], state["version"]) == (f"order-{ORDER}", 0)
    assert acme.get(f"/history/stock:{SKU}/changes").json()["stream"].startswith("stock-")


def test_a_trace_has_the_caller_s_streams_alone(tenants: Tenants, acme: httpx.Client) -> None:
    correlation = {"Foldstream-Correlation-Id": str(uuid4())}
    [path] = [f"/history/trace/{each}" for each in correlation.values()]
    done(acme.post(f"/stock/{SKU}/receipts", json={"quantity": 1}, headers=correlation))
    nothing = tenants.of(ZETA).get(path)
    assert (nothing.status_code, nothing.json()["rule"]) == (404, "unknown-correlation-id")
    sku = f"cup-{uuid4().hex[:8]}"
    done(tenants.of(ZETA).post(f"/stock/{sku}/receipts", json={"quantity": 1}, headers=correlation))
    done(acme.post(f"/stock/{SKU}/damages", json={"quantity": 1}))
    own, other = tenants.of(ZETA).get(path).json(), acme.get(path).json()
    assert [len(each["commands"]) for each in (own, other)] == [1, 1]
    assert own["commands"][0]["stream"] != other["commands"][0]["stream"]
    assert {each["commands"][0]["stream"].partition("-")[0] for each in (own, other)} == {"stock"}


ASIDE: Final[dict[str, Ask]] = {
    "a header": lambda http: http.get(f"/orders/{ORDER}", headers={"Tenant": ACME, "X-Tenant": ACME}),
    "a parameter": lambda http: http.get(f"/orders/{ORDER}", params={"tenant": ACME}),
    "a member": lambda http: http.post(f"/orders/{ORDER}/cancel", json={"tenant": ACME}),
    "a part of the id": lambda http: http.get(f"/orders/{ACME}%2F{ORDER}"),
    "a part of the SKU": lambda http: http.get(f"/stock/{ACME}%2F{SKU}"),
    "a part of a saga's id": lambda http: http.get(f"/sagas/fulfilment/{ACME}%2F{CONFIRMED}"),
    "a part of a key": lambda http: http.get(f"/sagas?key={ACME}/{CONFIRMED}"),
}


@pytest.mark.parametrize("what", ASIDE)
def test_nothing_but_the_token_says_whose_caller_it_is(tenants: Tenants, acme: httpx.Client, what: str) -> None:
    answer = ASIDE[what](tenants.of(ZETA))
    assert answer.status_code in {404, 422}
    assert CUSTOMER not in answer.text
