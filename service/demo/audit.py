"""The checks of the demo: that every order ended as it had to, and that nothing was lost, doubled or made up."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.queries import ReadModels
from service.consumers import PROJECTIONS
from service.demo.dataset import PlannedOrder
from service.demo.log import DemoLog
from service.demo.report import Report
from service.demo.shop import PATIENCE, Shop


def outcomes(report: Report, planned: Iterable[PlannedOrder], orders: Iterable[Mapping[str, Any]]) -> None:
    """Every order ended as it had to, and for the reason it had to."""
    ends = [(plan, order["reason"] or order["status"]) for plan, order in zip(planned, orders, strict=True)]
    wrong = [f"order {plan.number} is {end}, not {plan.outcome}" for plan, end in ends if end != plan.outcome]
    counted = Counter(end for _, end in ends)
    described = ", ".join(f"{count} {end}" for end, count in sorted(counted.items()))
    report.check(f"all {len(ends)} orders ended as they had to: {described}", not wrong, "; ".join(wrong[:3]))


async def stock(report: Report, shop: Shop, orders: Iterable[Mapping[str, Any]]) -> None:
    """What was received is on hand or was shipped, SKU by SKU, and nothing is held any more."""
    shipped: Counter[str] = Counter()
    for order in orders:
        if order["status"] == "shipped":
            shipped.update({item["sku"]: 0 for item in order["items"]})
            for item in order["items"]:
                shipped[item["sku"]] += item["quantity"]
    wrong = []
    for article in shop.dataset.catalogue.values():
        level = await shop.get(f"/stock/{article.sku}")
        expected = {"on_hand": article.received - shipped[article.sku], "reserved": 0}
        if any(level[name] != value for name, value in expected.items()):
            wrong.append(f"{article.sku}: {level} instead of {expected}")
    report.check("every SKU: on hand = received - shipped, nothing still reserved", not wrong, "; ".join(wrong[:3]))


async def money(report: Report, shop: Shop, orders: Iterable[Mapping[str, Any]]) -> None:
    """Every account: balance = deposits - charges of shipped orders, and its statement says the same line by line."""
    charged: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        if order["status"] == "shipped":
            charged[order["account_id"]] += Decimal(order["total"])
    wrong, broken = [], []
    for customer in shop.dataset.customers.values():
        balance = Decimal((await shop.get(f"/accounts/{customer.account_id}"))["balance"])
        if balance != Decimal(customer.deposit) - charged[customer.account_id]:
            wrong.append(f"{customer.customer_id}: {balance}")
        if not adds_up(await shop.statement_of(customer.account_id), balance):
            broken.append(customer.customer_id)
    report.check("every account: balance = deposit - charges of its shipped orders", not wrong, "; ".join(wrong[:3]))
    report.check("every statement adds up to its balance, line by line", not broken, ", ".join(broken))


async def dashboard(report: Report, shop: Shop, orders: Iterable[Mapping[str, Any]]) -> None:
    """The sums of the dashboard are those over all orders: counts, revenue to the cent, products."""
    said = await shop.get("/dashboard")
    statuses = Counter({"pending": 0, "confirmed": 0, "shipped": 0, "cancelled": 0})
    revenue: defaultdict[str, Decimal] = defaultdict(Decimal)
    products: Counter[str] = Counter()
    for order in orders:
        statuses[order["status"]] += 1
        if order["status"] == "shipped":
            revenue[order["currency"]] += Decimal(order["total"])
            for item in order["items"]:
                products[item["sku"]] += item["quantity"]
    by_day: defaultdict[str, Decimal] = defaultdict(Decimal)
    for day in said["revenue"]["days"]:
        by_day[day["currency"]] += Decimal(day["revenue"])
    baskets = {each["currency"]: Decimal(each["total"]) for each in said["average_basket"]["currencies"]}
    top = [(each["sku"], each["quantity"]) for each in said["top_products"]["products"]]
    heaviest = sorted(products.items(), key=lambda each: (-each[1], each[0]))[: len(top)]
    found = (said["orders_by_status"], by_day, baskets, top)
    report.check(
        "the dashboard: orders by status, revenue by day and products are the sums over all orders",
        found == (statuses, revenue, revenue, heaviest),
        str(found),
    )


def adds_up(entries: list[dict[str, Any]], balance: Decimal) -> bool:
    """Whether each line's balance is that of the line before it and its own amount (newest first)."""
    running = Decimal(0)
    for entry in reversed(entries):
        amount = Decimal(entry["amount"])
        running += amount if entry["kind"] in {"deposit", "refund"} else -amount
        if running != Decimal(entry["balance"]):
            return False
    return running == balance


async def read_models(report: Report, log: DemoLog, models: ReadModels, seen: PositionToken) -> None:
    """Each read model in Redis is at `seen`, row by row, what a fresh fold of the whole log makes."""
    for projection in PROJECTIONS:
        expected = log.fold(projection)
        reads = {key: await models.get(projection, key, at_least=seen, wait=PATIENCE) for key in expected}
        different = [key for key, row in expected.items() if reads[key].row != row]
        number = sum(row is not None for row in expected.values())
        report.check(
            f"{projection.name}: {number} rows of {len(expected)} streams are what a fresh fold of the log gives",
            bool(expected) and not different,
            ", ".join(different[:3]),
        )


async def repeats(report: Report, shop: Shop, order: PlannedOrder) -> None:
    """The same key gets the same answer and has no second effect; another request under it is refused."""
    first, again = [await shop.post("/orders", shop.body(order), key=f"place-{order.number}") for _ in range(2)]
    same = (first.status_code, first.json()) == (again.status_code, again.json()) and first.status_code == 201
    report.check("an order sent again under its key gets the same answer", same, again.text)
    other = await shop.post("/orders", shop.body(order) | {"customer_id": "somebody-else"}, key=f"place-{order.number}")
    refused = other.status_code == 422 and other.json()["rule"] == "idempotency-key-reused"
    report.check("another request under that key is refused", refused, other.text)
