"""Any run, whatever is short, repeated, lost or cancelled on the way, ends with everything accounted for."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.accounts.account import Account, AccountCharged, ChargeRefunded, Deposit, OpenAccount
from domain.accounts.account import decider as accounts
from domain.fulfilment.events import GoodsReturned, GoodsSecured
from domain.fulfilment.saga import saga
from domain.message import Event
from domain.ordering.events import CancellationRequested, OrderCancelled, OrderConfirmed
from domain.ordering.order import ConfirmOrder, CreateOrder, Item, Order, RequestCancellation
from domain.ordering.order import decider as orders
from domain.stock.stock import ReceiveStock, ReservationConsumed, stock_id
from domain.stock.stock import decider as stocks
from tests.domain.fulfilment.simulation import Shop, Version
from tests.domain.values import numbered

SKUS: Final = ("desk", "lamp", "rug")
ORDERS: Final = tuple(numbered(n) for n in range(1, 4))
ACCOUNTS: Final = tuple(numbered(n) for n in range(10, 13))  # the last one is never opened
CREDIT: Final = Decimal("20.00")
Deed: TypeAlias = Literal["confirm", "cancel", "deliver", "step", "ask and crash", "ask late"]
HOW_OFTEN: Final[dict[Deed, int]] = {
    "confirm": 3,
    "cancel": 1,
    "deliver": 3,
    "step": 12,
    "ask and crash": 2,
    "ask late": 2,
}
DEEDS: Final = tuple(deed for deed, times in HOW_OFTEN.items() for _ in range(times))

items = st.builds(Item, sku=st.sampled_from(SKUS), quantity=st.integers(1, 4), unit_price=st.decimals(0, 30, places=2))


@dataclass(frozen=True)
class Plan:
    """What the shop begins with and what happens in it: who does what, and a number to choose by."""

    stock: dict[str, int]
    balances: tuple[Decimal, Decimal]
    orders: list[CreateOrder]
    deeds: list[tuple[Deed, str, int]]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    created = [
        CreateOrder(
            order_id=order_id,
            customer_id="ada",
            account_id=draw(st.sampled_from((*ACCOUNTS[:2] * 3, ACCOUNTS[2]))),
            currency=draw(st.sampled_from([*["EUR"] * 6, "USD"])),  # the accounts are in euros
            items=tuple(draw(st.lists(items, min_size=1, max_size=4))),
        )
        for order_id in ORDERS
    ]
    deeds = st.tuples(st.sampled_from(DEEDS), st.sampled_from(ORDERS), st.integers(0, 20))
    money = st.decimals("0.01", 300, places=2)
    return Plan(
        stock=draw(st.fixed_dictionaries({sku: st.integers(0, 30) for sku in SKUS})),
        balances=(draw(money), draw(money)),
        orders=created,
        deeds=draw(st.lists(deeds, min_size=20, max_size=60)),
    )


@pytest.mark.parametrize("version", saga.versions.values(), ids=lambda version: f"version {version.version}")
@settings(deadline=None, max_examples=100)
@given(plan=plans())
def test_any_run_ends_with_everything_accounted_for(version: Version, plan: Plan) -> None:
    run = opened(plan, version)
    for deed, order_id, number in plan.deeds:
        do(run, deed, order_id, number)
        nothing_is_overdrawn(run)
    for order_id in ORDERS:
        run.try_to(ConfirmOrder(order_id=order_id))
        run.run(order_id)
    for order in plan.orders:
        the_order_has_ended(run, order)
    nothing_is_lost(run, plan)


def opened(plan: Plan, version: Version = saga) -> Shop:
    run = Shop(version=version)
    for sku, quantity in plan.stock.items():
        if quantity:
            run.send(ReceiveStock(sku=sku, quantity=quantity))
    for account_id, balance in zip(ACCOUNTS[:2], plan.balances, strict=True):
        run.send(OpenAccount(account_id=account_id, owner_id="ada", currency="EUR", credit_limit=CREDIT))
        run.send(Deposit(account_id=account_id, amount=balance))
    for order in plan.orders:
        run.send(order)
    return run


def do(run: Shop, deed: Deed, order_id: str, number: int) -> None:
    match deed:
        case "confirm":
            run.try_to(ConfirmOrder(order_id=order_id))
        case "cancel":
            run.try_to(RequestCancellation(order_id=order_id, reason=f"reason {number}"))
        case "deliver":
            run.deliver(order_id)
        case "step":
            run.step(order_id, number)
        case "ask and crash":
            run.ask(order_id, which=number)
        case "ask late":
            run.ask(order_id, length=number % (len(run.own(order_id)) + 1), which=number)


def nothing_is_overdrawn(run: Shop) -> None:
    for sku in SKUS:
        assert stocks.fold(run.streams[f"stock-{stock_id(sku)}"]).available >= 0  # type: ignore[arg-type]  # its own events only
    for account_id in ACCOUNTS[:2]:
        assert balance(run, account_id) >= -CREDIT


def balance(run: Shop, account_id: str) -> Decimal:
    account = accounts.fold(run.streams[f"account-{account_id}"])  # type: ignore[arg-type]  # its own events only
    assert isinstance(account, Account)
    return account.balance.amount


def the_order_has_ended(run: Shop, created: CreateOrder) -> None:
    stream = run.streams[f"order-{created.order_id}"]
    order = orders.fold(stream)  # type: ignore[arg-type]  # its own events only
    assert isinstance(order, Order)
    needed: Counter[str] = Counter()
    for item in created.items:
        needed[item.sku] += item.quantity
    total = sum((item.quantity * item.unit_price for item in created.items), Decimal(0))
    if order.status == "shipped":
        assert consumed(run, created.order_id) == needed
        assert charges(run, created.order_id) == ([total] if total else [])
        assert refunds(run, created.order_id) == []
    else:
        assert order.status == "cancelled"
        assert consumed(run, created.order_id) == Counter()
        assert charges(run, created.order_id) == refunds(run, created.order_id)
        assert len(charges(run, created.order_id)) <= 1
        the_first_cause_is_the_reason(stream)
    what_was_secured_went_back_in_reverse(run.own(created.order_id))


def the_first_cause_is_the_reason(stream: list[Event]) -> None:
    [cancelled] = [event for event in stream if isinstance(event, OrderCancelled)]
    wishes = [event.reason for event in stream if isinstance(event, CancellationRequested)]
    confirmed = any(isinstance(event, OrderConfirmed) for event in stream)
    if wishes:
        assert [cancelled.reason] == wishes
    elif confirmed:
        assert cancelled.reason in {"out-of-stock", "insufficient-funds", "account-unusable"}
    else:
        assert cancelled.reason.startswith("reason ")


def what_was_secured_went_back_in_reverse(own: list[Event]) -> None:
    secured = [event.sku for event in own if isinstance(event, GoodsSecured)]
    returned = [event.sku for event in own if isinstance(event, GoodsReturned)]
    assert sorted(secured) == sorted(set(secured))
    assert returned in ([], sorted(secured, reverse=True))


def nothing_is_lost(run: Shop, plan: Plan) -> None:
    for sku in SKUS:
        stock = stocks.fold(run.streams[f"stock-{stock_id(sku)}"])  # type: ignore[arg-type]  # its own events only
        shipped = sum(consumed(run, order_id)[sku] for order_id in ORDERS)
        assert stock.held == {}
        assert stock.on_hand + shipped == plan.stock[sku]
    paid = sum((amount for order_id in ORDERS for amount in charges(run, order_id)), Decimal(0))
    returned = sum((amount for order_id in ORDERS for amount in refunds(run, order_id)), Decimal(0))
    left = sum((balance(run, account_id) for account_id in ACCOUNTS[:2]), Decimal(0))
    assert left + paid - returned == sum(plan.balances)


def consumed(run: Shop, order_id: str) -> Counter[str]:
    pieces: Counter[str] = Counter()
    for event in everything(run):
        if isinstance(event, ReservationConsumed) and event.order_id == order_id:
            pieces[event.sku] += event.quantity
    return pieces


def charges(run: Shop, order_id: str) -> list[Decimal]:
    taken = (event for event in everything(run) if isinstance(event, AccountCharged))
    return [event.amount.amount for event in taken if event.order_id == order_id]


def refunds(run: Shop, order_id: str) -> list[Decimal]:
    given_back = (event for event in everything(run) if isinstance(event, ChargeRefunded))
    return [event.amount.amount for event in given_back if event.order_id == order_id]


def everything(run: Shop) -> Iterable[Event]:
    return (event for events in run.streams.values() for event in events)
