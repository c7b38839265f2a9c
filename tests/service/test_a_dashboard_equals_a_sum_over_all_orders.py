"""The sales dashboard against a sum over all orders that other code makes from the log, whatever was killed."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from tests.service.client import Client
from tests.support.callers import AUTHORIZED
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.service import FoldstreamProcess

UNITS: Final = {"EUR": Decimal("0.01"), "JPY": Decimal(1)}
SKUS: Final = ("lamp", "desk", "rug", "cup", "vase")
FATES: Final = ("confirm", "confirm", "confirm", "drop an item", "cancel", "leave", "unpaid")
TWO_PERCENT: Final = 0.02
WIDGETS: Final = ("revenue", "orders-by-status", "average-basket", "top-products", "conversion", "fulfilment-time")
READ_MODELS: Final = (
    "revenue_by_day",
    "orders_by_status",
    "average_basket",
    "top_products",
    "conversion",
    "fulfilment_time",
)


@dataclass
class Sold:
    """An order as its stored events tell it."""

    lines: dict[int, dict[str, Any]]
    currency: str
    times: dict[str, datetime]

    @property
    def total(self) -> Decimal:
        zero = 0 * UNITS[self.currency]
        return sum((Decimal(line["unit_price"]["amount"]) * line["quantity"] for line in self.lines.values()), zero)

    @property
    def status(self) -> str:
        return next(each for each in ("cancelled", "shipped", "confirmed", "pending") if each in self.times)

    def day(self, reached: str) -> str:
        return self.times[reached].date().isoformat()


REACHED: Final = {
    "OrderCreated": "pending",
    "OrderConfirmed": "confirmed",
    "OrderShipped": "shipped",
    "OrderCancelled": "cancelled",
}


def sold(events: Sequence[dict[str, Any]]) -> Sold:
    order = Sold({}, "", {})
    for event in events:
        data, reached = event["data"], REACHED.get(event["type"])
        if reached is not None:
            order.times[reached] = datetime.fromisoformat(event["at"])
        match event["type"]:
            case "OrderCreated":
                order.currency, order.lines = data["currency"], {line["line"]: line for line in data["lines"]}
            case "ItemAdded":
                order.lines[data["line"]["line"]] = data["line"]
            case "ItemRemoved":
                del order.lines[data["line"]]
            case _:
                pass
    return order


class Expected:
    """What the widgets have to say of these orders."""

    def __init__(self, orders: Sequence[Sold]) -> None:
        self.orders = orders
        self.shipped = [order for order in orders if order.status == "shipped"]

    def whole(self) -> dict[str, Any]:
        """All but the times that fulfilment took."""
        return {
            "revenue": {"days": self._revenue()},
            "orders_by_status": {
                status: sum(order.status == status for order in self.orders) for status in REACHED.values()
            },
            "average_basket": {"currencies": self._baskets()},
            "top_products": {"products": self._products()},
            "conversion": {"days": self._conversion()},
        }

    def seconds(self, day: str) -> list[float]:
        """How long it took, for each order that was shipped that day, the fastest first."""
        took = [each.times["shipped"] - each.times["confirmed"] for each in self.shipped if each.day("shipped") == day]
        return sorted(each.total_seconds() for each in took)

    def _revenue(self) -> list[dict[str, Any]]:
        totals: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for order in self.shipped:
            totals[order.day("shipped"), order.currency].append(order.total)
        return [
            {"day": day, "currency": currency, "orders": len(found), "revenue": str(sum(found))}
            for (day, currency), found in sorted(totals.items())
        ]

    def _baskets(self) -> list[dict[str, Any]]:
        told = []
        for currency, unit in sorted(UNITS.items()):
            found = [order.total for order in self.shipped if order.currency == currency]
            average = (sum(found, Decimal(0)) / len(found)).quantize(unit, ROUND_HALF_EVEN)
            told.append({"currency": currency, "orders": len(found), "total": str(sum(found)), "average": str(average)})
        return told

    def _products(self) -> list[dict[str, Any]]:
        weights: Counter[str] = Counter()
        for order in self.shipped:
            for line in order.lines.values():
                weights[line["sku"]] += line["quantity"]
        heaviest = sorted(weights.items(), key=lambda each: (-each[1], each[0]))
        return [{"sku": sku, "quantity": quantity} for sku, quantity in heaviest]

    def _conversion(self) -> list[dict[str, Any]]:
        counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for order in self.orders:
            counted[order.day("pending")].update(list(order.times))
        names = {"placed": "pending", "confirmed": "confirmed", "shipped": "shipped", "cancelled": "cancelled"}
        return [
            {"day": day, **{name: reached[step] for name, step in names.items()}}
            for day, reached in sorted(counted.items())
        ]


class Shop:
    """Whose customers drop items, cancel, leave orders as they are, or can't pay."""

    def __init__(self, url: str) -> None:
        self._url, self._random = url, Random(15)
        self.ids: list[str] = []
        with Client(url) as client:
            for sku in SKUS:
                client.receive(sku, 1_000)
            self._accounts = {"EUR": client.account("100000.00"), "JPY": client.account("100000", "JPY")}

    def sell(self, count: int) -> None:
        """So many orders at once, each until it has ended or waits for its customer."""
        forms = [self._form() for _ in range(count)]
        self.ids += [form["id"] for form in forms]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._carry_out, forms, [FATES[number % len(FATES)] for number in range(count)]))

    def orders(self, client: Client) -> list[Sold]:
        """What the log holds of them."""
        return [sold(client.ask(f"/history/order-{each}")["events"]) for each in self.ids]

    def _form(self) -> dict[str, Any]:
        currency = self._random.choice(list(UNITS))
        items = [{"sku": sku, **self._some(currency)} for sku in self._random.choices(SKUS, k=2)]
        account = self._accounts[currency]
        return {"id": str(uuid4()), "customer_id": "ada", "account_id": account, "currency": currency, "items": items}

    def _some(self, currency: str) -> dict[str, Any]:
        price = Decimal(self._random.randint(0, 9_999)) * UNITS[currency]
        return {"quantity": self._random.randint(1, 4), "unit_price": str(price)}

    def _carry_out(self, form: dict[str, Any], fate: str) -> None:
        path = f"/orders/{form['id']}"
        with Client(self._url) as client:
            client.done("/orders", {**form, "account_id": str(uuid4())} if fate == "unpaid" else form)
            if fate == "drop an item":
                line = client.done(f"{path}/items", {"sku": "vase", **self._some(form["currency"])})["line"]
                httpx.delete(
                    f"{self._url}{path}/items/{line - 1}", timeout=30, trust_env=False, headers=AUTHORIZED
                ).raise_for_status()
            if fate == "cancel":
                client.done(f"{path}/cancel")
            elif fate != "leave":
                client.confirm(form["id"])
                client.ended(form["id"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FoldstreamProcess]:
    """One with servers of its own: nobody else's orders are in its sums."""
    with FoldstreamProcess(tmp_path_factory.mktemp("dashboard")) as started:
        yield started


@pytest.fixture(scope="module")
def shop(service: FoldstreamProcess) -> Shop:
    """After a day on which a worker was killed among its orders."""
    made = Shop(service.url)
    made.sell(14)
    with ThreadPoolExecutor(1) as pool:
        selling = pool.submit(made.sell, 14)
        killed = service.kill("projections")
        service.await_restart("projections", killed)
        selling.result()
    return made


def told(client: Client, shop: Shop) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the dashboard says once it has come to the end of the log, and what it has to."""
    end = client.receive("vase", 1)["position"]
    expected = Expected(shop.orders(client))
    dashboard = client.get("/dashboard", at_least=end, wait="30")
    for day in dashboard.pop("fulfilment_time")["days"]:
        seconds = expected.seconds(day["day"])
        assert day["orders"] == len(seconds)
        for quantile, rank in (("p50_seconds", 0.5), ("p95_seconds", 0.95)):
            exact = seconds[int(rank * (len(seconds) - 1))]
            assert day[quantile] == pytest.approx(exact, rel=TWO_PERCENT)
    return dashboard, expected.whole()


def test_it_is_so_after_removals_cancellations_and_kills(service: FoldstreamProcess, shop: Shop) -> None:
    with Client(service.url) as client:
        dashboard, expected = told(client, shop)
        assert dashboard == expected
        assert len(expected["average_basket"]["currencies"]) == len(UNITS)
        whole = client.get("/dashboard")
        assert {name: client.get(f"/dashboard/{name}") for name in WIDGETS} == {
            name: whole[name.replace("-", "_")] for name in WIDGETS
        }


def test_it_is_so_after_one_was_built_anew(service: FoldstreamProcess, shop: Shop) -> None:
    arguments = ("rebuild", "revenue_by_day", "--data", str(service.data), "--why", "to see", "--json")
    process = Listened((*FOLDSTREAM, *arguments), {})
    assert process.wait(within=60) == 0, process.errors
    with Client(service.url) as client:
        dashboard, expected = told(client, shop)
        assert dashboard == expected


def test_it_says_up_to_where_it_is_told_and_waits_for_it(service: FoldstreamProcess, shop: Shop) -> None:
    with Client(service.url) as client:
        end = client.receive("vase", 1)["position"]
    for name in ("", *(f"/{name}" for name in WIDGETS)):
        answer = httpx.get(
            f"{service.url}/dashboard{name}", params={"at_least": end, "wait": 20}, trust_env=False, headers=AUTHORIZED
        )
        assert answer.status_code == 200
        assert int(answer.headers["Foldstream-Position"].split(".")[1]) >= int(end.split(".")[1])
        beyond = httpx.get(
            f"{service.url}/dashboard{name}", params={"at_least": "9" * 15}, trust_env=False, headers=AUTHORIZED
        )
        assert (beyond.status_code, beyond.json()["rule"]) == (503, "read-model-behind")


def test_each_widget_is_a_read_model_that_is_watched_like_others(service: FoldstreamProcess, shop: Shop) -> None:
    def checks() -> dict[str, Any]:
        return dict(
            httpx.get(f"{service.url}/health/ready", timeout=30, trust_env=False, headers=AUTHORIZED).json()["checks"]
        )

    poll_until(lambda: all(checks()[name]["ok"] for name in READ_MODELS), seconds=20, what=json.dumps(checks()))
