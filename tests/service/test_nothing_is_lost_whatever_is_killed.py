"""Every process is killed in turn under load, all are stopped, all are killed: nothing is lost or done twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from domain.accounts.account import AccountCharged, ChargeRefunded, MoneyDeposited
from domain.message import Recorded
from domain.ordering.events import OrderCancelled, OrderConfirmed, OrderCreated, OrderShipped
from domain.stock.stock import ReservationConsumed, ReservationReleased, StockReceived, StockReserved
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.stream_patterns import category_pattern
from service.consumers import DECIDERS, EVENTS
from tests.service.client import Client
from tests.service.load import PRICE, Customer, Load, Order
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

IN_TURN = ("projections", "sagas", "api", "redis", "eventstore")


@dataclass
class Aftermath:
    """What is left: the customers' books, how each order ended, the whole log, and its position when all was done."""

    client: Client
    customers: list[Customer]
    ends: dict[str, dict[str, Any]]
    log: list[Recorded[Any]]
    restarted: dict[str, bool]
    stopped: tuple[int, list[str]]
    token: str

    @property
    def orders(self) -> list[Order]:
        return [order for customer in self.customers for order in customer.orders]

    def shipped(self, customer: Customer) -> int:
        return sum(order.quantity for order in customer.orders if self.ends[order.id]["status"] == "shipped")

    def count(self, kind: type) -> int:
        return sum(isinstance(recorded.event, kind) for recorded in self.log)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    with FoldstreamProcess(tmp_path_factory.mktemp("killed")) as service:
        with Load(service.url) as load:
            load.goes_on(40)
            restarted = {name: _kill_and_go_on(service, load, name) for name in IN_TURN}
            stopped = service.stop(), [line for line in service.process.errors if "process_killed" in line]
            service.start()
            load.goes_on(30)
            service.kill_all()
            service.start()
            load.goes_on(30)
        with Client(service.url) as client:
            ends = {order.id: client.ended(order.id) for customer in load.customers for order in customer.orders}
            token = _all_settled(client, load.customers)
            log = _log(service.uri_of("eventstore"))
            yield Aftermath(client, load.customers, ends, log, restarted, stopped, token)


def _kill_and_go_on(service: FoldstreamProcess, load: Load, name: str) -> bool:
    """Whether the process was started again and the customers went on being served."""
    killed = service.kill(name)
    started = service.await_restart(name, killed)
    load.goes_on(30)
    return started != killed


def _all_settled(client: Client, customers: list[Customer]) -> str:
    """Waits until nothing is reserved any more; a position after all that was done."""
    paths = [f"/stock/{customer.sku}" for customer in customers]
    poll_until(lambda: not any(client.get(path)["reserved"] for path in paths), seconds=20, what="nothing reserved")
    return str(client.receive("the-last-thing", 1)["position"])


def _log(uri: str) -> list[Recorded[Any]]:
    codec = EventCodec(EVENTS)
    with open_reader(uri) as reader:
        pages = [reader.records(category_pattern([decider.category])) for decider in DECIDERS]
        return [event for page in pages for record in page for event in codec.events_in(record)]


def test_every_process_was_started_again(aftermath: Aftermath) -> None:
    assert aftermath.restarted == dict.fromkeys(IN_TURN, True)


def test_a_stop_in_the_middle_of_all_that_was_in_order(aftermath: Aftermath) -> None:
    assert aftermath.stopped == (0, [])


def test_every_answered_command_is_in_the_log_once(aftermath: Aftermath) -> None:
    rounds = len(aftermath.orders)
    kinds = (StockReceived, MoneyDeposited, OrderCreated, OrderConfirmed)
    expected = dict.fromkeys(kinds, rounds) | {StockReceived: rounds + 1}
    assert {kind: aftermath.count(kind) for kind in kinds} == expected


def test_a_repeat_is_answered_as_before(aftermath: Aftermath) -> None:
    answers = [answer for customer in aftermath.customers for answer in customer.answers[::7]]
    again = [aftermath.client.done(answer.path, answer.body, answer.key) for answer in answers]
    assert again == [answer.said for answer in answers]


def test_every_order_ended_once_and_as_it_was_answered(aftermath: Aftermath) -> None:
    ends = Counter(r.aggregate_id for r in aftermath.log if isinstance(r.event, OrderShipped | OrderCancelled))
    assert ends == Counter({order.id: 1 for order in aftermath.orders})
    assert {end["status"] for end in aftermath.ends.values()} == {"shipped", "cancelled"}
    assert [aftermath.ends[customer.orders[0].id]["reason"] for customer in aftermath.customers] == [
        "out-of-stock"
        for _ in aftermath.customers  # each began with what was never received
    ]
    assert [order.id for order in aftermath.orders if order.cancelled and _is_shipped(aftermath, order)] == []


def test_every_shipped_order_was_reserved_charged_and_consumed_once_and_no_other_kept_anything(
    aftermath: Aftermath,
) -> None:
    done = Counter((type(recorded.event), getattr(recorded.event, "order_id", None)) for recorded in aftermath.log)
    taken = {
        order.id: (
            done[StockReserved, order.id] - done[ReservationReleased, order.id],
            done[ReservationConsumed, order.id],
            done[AccountCharged, order.id] - done[ChargeRefunded, order.id],
        )
        for order in aftermath.orders
    }
    assert taken == {order.id: (1, 1, 1) if _is_shipped(aftermath, order) else (0, 0, 0) for order in aftermath.orders}
    assert max(done[StockReserved, order.id] for order in aftermath.orders) == 1
    assert max(done[AccountCharged, order.id] for order in aftermath.orders) == 1


def test_stock_and_money_add_up_in_the_read_models(aftermath: Aftermath) -> None:
    versions = Counter(recorded.stream for recorded in aftermath.log)
    for customer in aftermath.customers:
        on_hand = customer.received - aftermath.shipped(customer)
        balance = customer.deposited - PRICE * aftermath.shipped(customer)
        level = aftermath.client.get(f"/stock/{customer.sku}", at_least=aftermath.token, wait="10")
        assert (level["on_hand"], level["reserved"], level["available"]) == (on_hand, 0, on_hand)
        account = aftermath.client.get(f"/accounts/{customer.account_id}", at_least=aftermath.token, wait="10")
        assert Decimal(account["balance"]) == balance
        assert account["version"] == versions[f"account-{customer.account_id}"] - 1


def _is_shipped(aftermath: Aftermath, order: Order) -> bool:
    return bool(aftermath.ends[order.id]["status"] == "shipped")
