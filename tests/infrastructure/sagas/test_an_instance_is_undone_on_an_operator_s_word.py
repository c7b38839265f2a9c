"""An operator's order to undo: what was asked is answered first, then all is undone, and it ends for that reason."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from uuid import uuid5

import pytest

from domain.accounts.account import ChargeAccount, RefundCharge
from domain.engine_events import SagaResumed, SagaUndoOrdered
from domain.message import Command
from domain.ordering.events import OrderCancelled
from domain.ordering.order import RequestCancellation, ShipOrder
from domain.stock.stock import ConsumeReservation, ReleaseReservation, ReserveStock
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.errors import WordRefused
from infrastructure.sagas.operator_words import Compensate, Pause
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import broken
from tests.infrastructure.sagas.errand import Errand, ErrandEvent, Errands, ThingMissing, new_tag, request
from tests.infrastructure.sagas.fulfilments import Broken, Fulfilments, fulfilling

UNDO = Compensate("sold by mistake")
HELD = ["StockReserved", "ReservationReleased"]
TAKEN = ["AccountCharged", "ChargeRefunded"]
ORDERED = ["SagaUndoOrdered", "SagaResumed"]
RECALLED = ["FulfilmentRecalled", "SagaUndoTaken"]
RETURNED = ["GoodsReturned", "GoodsReturned", "FulfilmentAbandoned"]


def tell(uri: str, story: Callable[[Fulfilments], Awaitable[None]]) -> None:
    async def run() -> None:
        async with fulfilling(uri) as shop:
            await story(shop)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("asked", "before", "after", "money"),
    [
        (ReserveStock, [], ["GoodsSecured", "GoodsSecured", *RECALLED, *RETURNED], []),
        (
            ChargeAccount,
            ["GoodsSecured", "GoodsSecured"],
            ["PaymentCollected", *RECALLED, "PaymentReturned", *RETURNED],
            TAKEN,
        ),
        (
            ShipOrder,
            ["GoodsSecured", "GoodsSecured", "PaymentCollected"],
            ["DispatchForbidden", "SagaUndoTaken", "PaymentReturned", *RETURNED],
            TAKEN,
        ),
    ],
)
def test_the_step_that_was_asked_for_is_answered_before_anything_is_undone(
    eventstore_uri: str, asked: type[Command], before: list[str], after: list[str], money: list[str]
) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(asked)
        outcome = await shop.say(order, UNDO)
        assert outcome.events == (SagaUndoOrdered(why=UNDO.why), SagaResumed(why=UNDO.why))
        await shop.go_on(order)
        assert await shop.story(order.stream) == ["SagaVersionSet", "FulfilmentStarted", *before, *ORDERED, *after]
        assert (await shop.events(f"order-{order.id}"))[-1] == OrderCancelled(order_id=order.id, reason=UNDO.why)
        assert await shop.books(order) == (money, [HELD, HELD])

    tell(eventstore_uri, story)


@pytest.mark.parametrize("paused", [False, True])
def test_one_that_stands_still_goes_on_undoing(eventstore_uri: str, paused: bool) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(ChargeAccount)
        if paused:
            await shop.say(order, Pause("to look at it"))
        else:
            await shop.coordinator.stop(order.message, "a bug")
        await shop.coordinator.react(order.message)
        stood = await shop.story(order.stream)
        assert stood[4:] == (["SagaPaused", "SagaMessageWaiting"] if paused else ["SagaStopped"])
        await shop.say(order, UNDO)
        await shop.go_on(order)
        undone = ["PaymentCollected", *RECALLED, "PaymentReturned", *RETURNED, "SagaMessageTaken"]
        assert (await shop.story(order.stream))[len(stood) :] == [*ORDERED, *undone]

    tell(eventstore_uri, story)


def test_a_worker_that_ends_in_between_is_followed_by_one_that_undoes(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(ChargeAccount)
        await shop.say(order, UNDO)
        word = (await shop.recorded(order.stream))[-1]
        shop.broken = {ReleaseReservation}
        with pytest.raises(Exception, match="ReleaseReservation"):
            await shop.coordinator.react(word)
        assert not await shop.coordinator.is_settled(word)
        shop.broken = set()
        await shop.coordinator.react(word)
        assert await shop.coordinator.is_settled(word)
        await shop.coordinator.react(word)
        assert await shop.books(order) == (TAKEN, [HELD, HELD])
        assert (await shop.story(order.stream)).count("SagaUndoTaken") == 1

    tell(eventstore_uri, story)


def test_an_order_that_nobody_has_taken_is_not_settled(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        message = await errands.ask(client, await errands.stocked(client, 1))
        stream = errands.stream(message.event.errand_id)
        await errands.coordinator(client).react(message)
        assert await errands.coordinator(client).is_settled(message)
        errands.saga = replace(errands.saga, awaits=lambda errand: ("word",))  # else it has ended
        await errands.desk(client).say(stream, UNDO, request())
        assert not await errands.coordinator(client).is_settled(message)

    run_errand(eventstore_uri, story)


def test_past_the_point_of_no_return_it_is_refused(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(ConsumeReservation)
        before = await shop.story(f"order-{order.id}")
        fault = f"^saga-not-compensable: {order.stream} is past the point of no return$"
        with pytest.raises(WordRefused, match=fault):
            await shop.say(order, UNDO)
        assert await shop.story(f"order-{order.id}") == before
        await shop.coordinator.react(order.message)
        with pytest.raises(WordRefused, match=f"^saga-not-compensable: {order.stream} has ended$"):
            await shop.say(order, UNDO)

    tell(eventstore_uri, story)


def test_a_target_that_is_past_it_already_refuses_for_the_saga(eventstore_uri: str) -> None:
    """The order was shipped, and the saga has not heard of it."""

    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(ShipOrder)
        await shop.send(ShipOrder(order_id=order.id))
        with pytest.raises(WordRefused, match=r"is refused: order-already-shipped: Order .* has been shipped"):
            await shop.say(order, UNDO)
        assert "SagaUndoOrdered" not in await shop.story(order.stream)

    tell(eventstore_uri, story)


def test_a_word_that_the_saga_has_outrun_is_noted_all_the_same(eventstore_uri: str) -> None:
    """Its order was cancelled, and before the word was stored the saga had heard of that."""

    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(ShipOrder)
        asked = request()
        own_id = uuid5(asked.command_id, f"order-{order.id}")
        told = replace(asked, command_id=own_id, causation_id=own_id)
        await shop.send(RequestCancellation(order_id=order.id, reason=UNDO.why), told)
        shop.broken = {RefundCharge}
        with pytest.raises(Broken):
            await shop.coordinator.react(order.message)
        shop.broken = set()
        outcome = await shop.say(order, UNDO, asked)
        assert outcome.events == (SagaUndoOrdered(why=UNDO.why), SagaResumed(why=UNDO.why))
        await shop.go_on(order)
        assert await shop.books(order) == (TAKEN, [HELD, HELD])
        assert (await shop.story(order.stream)).count("FulfilmentRecalled") == 0

    tell(eventstore_uri, story)


def test_what_is_being_undone_already_keeps_its_reason(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(ReleaseReservation, funds="1.00")
        before = await shop.story(order.stream)
        outcome = await shop.say(order, UNDO)
        assert (outcome.events, outcome.version) == ((), len(before) - 1)
        await shop.say(order, Pause("to look at it"))
        assert (await shop.say(order, UNDO)).events == (SagaResumed(why=UNDO.why),)
        await shop.go_on(order)
        cancelled = OrderCancelled(order_id=order.id, reason="insufficient-funds")
        assert (await shop.events(f"order-{order.id}"))[2:] == [cancelled]

    tell(eventstore_uri, story)


def run_errand(uri: str, story: Callable[[CommandClient, Errands], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            errands = Errands(new_tag(), build=lambda saga: replace(saga, on_compensate=undo))
            await story(client, errands)

    asyncio.run(run())


def undo(why: str, errand: Errand) -> list[ErrandEvent]:
    return [] if errand.undoing else [ThingMissing(shelf_id=why)]


def test_of_steps_that_were_asked_together_each_is_answered_first(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        first, second = await errands.stocked(client, 1, 1)
        message = await errands.ask(client, [first, second])
        stream, mended = errands.stream(message.event.errand_id), errands.route
        errands.route = broken
        with pytest.raises(KeyError):
            await errands.coordinator(client).react(message)
        await errands.desk(client).say(stream, UNDO, request())
        errands.route = lambda command: broken(command) if command.aggregate_id == second else mended(command)
        with pytest.raises(KeyError):
            await errands.coordinator(client).react(message)
        told = await names(errands, client, stream)
        assert told == ["ErrandBegun", *ORDERED, "ErrandThingFetched"]
        errands.route = mended
        await errands.coordinator(client).react(message)
        told = (await names(errands, client, stream))[4:]
        returned = ["ErrandThingReturned", "ErrandThingReturned"]
        assert told == ["ErrandThingFetched", "ErrandThingMissing", "SagaUndoTaken", *returned]

    run_errand(eventstore_uri, story)


async def names(errands: Errands, client: CommandClient, stream: str) -> Sequence[str]:
    return [event.stored_name for event in await errands.story(client, stream)]


def test_a_saga_that_does_not_say_how_refuses(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            message = await errands.ask(client, await errands.stocked(client, 1))
            await errands.coordinator(client).react(message)
            with pytest.raises(WordRefused, match="can't be undone: its saga does not say how"):
                await errands.desk(client).say(errands.stream(message.event.errand_id), UNDO, request())

    asyncio.run(run())
