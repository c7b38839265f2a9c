"""A step that was done by hand is skipped where its table says which fact it leaves; the saga goes on from there."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domain.accounts.account import AccountCharged, ChargeAccount, RefundCharge
from domain.engine_events import SagaResumed, SagaStepSkipped
from domain.fulfilment.events import GoodsReturned, PaymentReturned
from domain.message import Command
from domain.ordering.events import OrderCancelled
from domain.ordering.order import CancelOrder, RequestCancellation, ShipOrder
from domain.stock.stock import ConsumeReservation, ReleaseReservation, ReserveStock
from infrastructure.sagas.errors import WordRefused
from infrastructure.sagas.operator_words import Pause, Resume, Skip
from tests.infrastructure.sagas.fulfilments import Fulfilments, Order, fulfilling

WHY = "done by hand"
HELD = ["StockReserved", "ReservationReleased"]


def tell(uri: str, story: Callable[[Fulfilments], Awaitable[None]]) -> None:
    async def run() -> None:
        async with fulfilling(uri) as shop:
            await story(shop)

    asyncio.run(run())


async def undoing(shop: Fulfilments, broken: type[Command]) -> Order:
    """A cancelled order whose undoing came as far as this."""
    order = await shop.begun(ShipOrder)
    await shop.send(RequestCancellation(order_id=order.id))
    shop.broken = {broken}
    with pytest.raises(Exception, match=broken.__name__):
        await shop.coordinator.react(order.message)
    shop.broken = set()
    return order


def test_a_refund_that_was_paid_by_hand_is_not_asked_for(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await undoing(shop, RefundCharge)
        await shop.coordinator.stop(order.message, "the account is closed")
        outcome = await shop.say(order, Skip(WHY, "refund"))
        skipped, returned = SagaStepSkipped(step="refund", why=WHY), PaymentReturned(order_id=order.id)
        assert outcome.events == (skipped, returned, SagaResumed(why=WHY))
        shop.broken = {RefundCharge}
        await shop.go_on(order)
        assert await shop.books(order) == (["AccountCharged"], [HELD, HELD])
        ended = ["GoodsReturned", "GoodsReturned", "FulfilmentAbandoned", "SagaMessageTaken"]
        assert (await shop.story(order.stream))[-4:] == ended
        last = (await shop.events(f"order-{order.id}"))[-1]
        assert last == OrderCancelled(order_id=order.id, reason="cancelled-by-customer")

    tell(eventstore_uri, story)


def test_a_kind_of_step_names_the_one_that_is_pending(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await undoing(shop, ReleaseReservation)
        first, second = order.skus
        outcome = await shop.say(order, Skip(WHY, "release"))
        assert outcome.events[:2] == (
            SagaStepSkipped(step=f"release:{second}", why=WHY),
            GoodsReturned(order_id=order.id, sku=second),
        )
        await shop.go_on(order)
        assert (await shop.books(order))[1] == [HELD, ["StockReserved"]]
        fault = f"^saga-not-skippable: {order.stream} has no step release:{first} to skip; pending: nothing$"
        with pytest.raises(WordRefused, match=fault):
            await shop.say(order, Skip(WHY, f"release:{first}"))

    tell(eventstore_uri, story)


def test_one_that_is_paused_stays_so(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await undoing(shop, RefundCharge)
        await shop.say(order, Pause("the bank is asked"))
        outcome = await shop.say(order, Skip(WHY, "refund"))
        assert [type(event) for event in outcome.events] == [SagaStepSkipped, PaymentReturned]
        await shop.coordinator.react(order.message)
        assert (await shop.story(order.stream))[-1] == "SagaMessageWaiting"
        await shop.say(order, Resume("the bank has answered"))
        await shop.go_on(order)
        assert await shop.books(order) == (["AccountCharged"], [HELD, HELD])

    tell(eventstore_uri, story)


def test_an_answer_that_was_under_way_is_not_heard(eventstore_uri: str) -> None:
    """The refund has taken effect, and the saga has not heard of it when it is skipped."""

    async def story(shop: Fulfilments) -> None:
        order = await undoing(shop, RefundCharge)
        behind = (await shop.recorded(order.stream))[-1]
        [charged] = [
            each.event for each in await shop.recorded(f"account-{order.account}") if type(each.event) is AccountCharged
        ]
        asked = RefundCharge(account_id=order.account, order_id=order.id, amount=charged.amount)
        await shop.send(asked, shop.asked("refund", asked, behind))
        await shop.say(order, Skip(WHY, "refund"))
        await shop.go_on(order)
        await shop.coordinator.react(order.message)
        assert (await shop.story(order.stream)).count("PaymentReturned") == 1
        assert (await shop.books(order))[0] == ["AccountCharged", "ChargeRefunded"]

    tell(eventstore_uri, story)


@pytest.mark.parametrize(
    ("pending", "step"),
    [(ReserveStock, "reserve"), (ChargeAccount, "charge"), (ShipOrder, "ship"), (ConsumeReservation, "consume")],
)
def test_what_nobody_can_do_by_hand_is_refused(eventstore_uri: str, pending: type[Command], step: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(pending)
        before = await shop.story(order.stream)
        with pytest.raises(WordRefused, match=f"^saga-not-skippable: .* can't go on without an answer to {step}"):
            await shop.say(order, Skip(WHY, step))
        assert await shop.story(order.stream) == before

    tell(eventstore_uri, story)


def test_the_end_of_the_order_is_not_skipped(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await undoing(shop, CancelOrder)
        with pytest.raises(WordRefused, match=r"can't go on without an answer to cancel$"):
            await shop.say(order, Skip(WHY, "cancel"))

    tell(eventstore_uri, story)
