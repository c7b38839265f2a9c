"""An operator's cancel asks what the customer would ask, and the order decides whether it is too late."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import uuid5

import pytest

from domain.accounts.account import ChargeAccount
from domain.engine_events import SagaCancelRequested
from domain.ordering.events import CancellationRequested, OrderCancelled
from domain.ordering.order import RequestCancellation
from domain.stock.stock import ConsumeReservation
from infrastructure.sagas.errors import WordRefused
from infrastructure.sagas.operator_words import Cancel, Pause
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import Errands, new_tag, request
from tests.infrastructure.sagas.fulfilments import Fulfilments, fulfilling

CANCEL = Cancel("the customer has called")


def tell(uri: str, story: Callable[[Fulfilments], Awaitable[None]]) -> None:
    async def run() -> None:
        async with fulfilling(uri) as shop:
            await story(shop)

    asyncio.run(run())


def test_the_order_ends_cancelled_for_the_operator_s_reason(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(ChargeAccount)
        asked = replace(request(), actor="cli:ada")
        outcome = await shop.say(order, CANCEL, asked)
        assert outcome.events == (SagaCancelRequested(why=CANCEL.why),)
        assert await shop.say(order, CANCEL, asked) == replace(outcome, repeated=True)
        requested = (await shop.recorded(f"order-{order.id}"))[-1]
        assert requested.event == CancellationRequested(order_id=order.id, reason=CANCEL.why)
        assert (requested.metadata.actor, requested.metadata.correlation_id) == ("cli:ada", asked.correlation_id)
        unchanged = await shop.say(order, Cancel("once more"))
        assert (unchanged.events, unchanged.version) == ((), outcome.version)
        await shop.coordinator.react(order.message)
        cancelled = OrderCancelled(order_id=order.id, reason=CANCEL.why)
        assert (await shop.events(f"order-{order.id}"))[-1] == cancelled
        with pytest.raises(WordRefused, match=f"^saga-not-cancellable: {order.stream} has ended$"):
            await shop.say(order, Cancel("once more"))

    tell(eventstore_uri, story)


def test_one_that_stands_still_stays_so(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(ChargeAccount)
        await shop.say(order, Pause("to look at it"))
        await shop.say(order, CANCEL)
        await shop.coordinator.react(order.message)
        assert (await shop.story(order.stream))[-3:] == ["SagaPaused", "SagaCancelRequested", "SagaMessageWaiting"]

    tell(eventstore_uri, story)


def test_an_order_that_was_shipped_refuses(eventstore_uri: str) -> None:
    async def story(shop: Fulfilments) -> None:
        order = await shop.begun(ConsumeReservation)
        fault = f"^saga-not-cancellable: {order.stream} is refused: order-already-shipped: "
        with pytest.raises(WordRefused, match=fault):
            await shop.say(order, CANCEL)
        assert "SagaCancelRequested" not in await shop.story(order.stream)

    tell(eventstore_uri, story)


def test_one_that_was_cut_off_between_both_streams_is_finished_by_its_repeat(eventstore_uri: str) -> None:
    """The order knows of it, the saga does not, and has ended meanwhile."""

    async def story(shop: Fulfilments) -> None:
        order, asked = await shop.begun(ChargeAccount), request()
        own_id = uuid5(asked.command_id, f"order-{order.id}")
        sent = replace(asked, command_id=own_id, causation_id=own_id)
        await shop.send(RequestCancellation(order_id=order.id, reason=CANCEL.why), sent)
        await shop.coordinator.react(order.message)
        ended = await shop.story(order.stream)
        assert ended[-1] == "FulfilmentAbandoned"
        assert (await shop.say(order, CANCEL, asked)).version == len(ended)
        assert (await shop.say(order, CANCEL, asked)).repeated
        assert await shop.story(order.stream) == [*ended, "SagaCancelRequested"]

    tell(eventstore_uri, story)


def test_a_saga_that_does_not_say_how_refuses(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = Errands(new_tag())
            message = await errands.ask(client, await errands.stocked(client, 1))
            await errands.coordinator(client).react(message)
            with pytest.raises(WordRefused, match="can't be cancelled: its saga does not say how"):
                await errands.desk(client).say(errands.stream(message.event.errand_id), CANCEL, request())

    asyncio.run(run())
