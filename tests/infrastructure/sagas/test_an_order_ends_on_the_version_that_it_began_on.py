"""Orders that were open at any step when version 2 of the fulfilment came end on version 1, as if it had not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from domain.engine_events import SagaVersionSet
from domain.fulfilment.events import DispatchAgreed
from domain.fulfilment.saga import first, saga
from domain.message import Event
from domain.saga import Ask, Saga
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.live_orders import LiveOrder, patient_handler
from tests.infrastructure.sagas.test_versions_of_a_saga_run_side_by_side import Crash

Kinds = list[list[type[Event]]]
SHOPS: Final[Mapping[str, tuple[Mapping[str, Any], bool, int]]] = {
    "shipped": ({}, False, 6),
    "without the second SKU": ({"lamps": 0}, False, 4),
    "cancelled": ({}, True, 8),
}
"""What is in stock, whether the customer wants out, and how many answers the first version hears."""


def ending_at(number: int) -> tuple[Saga[Any, Any], list[Ask]]:
    """The first version in a worker that ends before it stores its answer of this number; and what was answered."""
    heard: list[Ask] = []

    def on_reply(ask: Ask, reply: Sequence[Event], state: Any) -> list[Any]:
        heard.append(ask)
        if len(heard) > number:
            raise Crash
        return first.on_reply(ask, reply, state)

    return replace(first, on_reply=on_reply), heard


async def told(order: LiveOrder, version: Saga[Any, Any], shop: Mapping[str, Any], *, cancelled: bool) -> None:
    """Its fulfilment begins on this version, and goes as far as that comes."""
    message = await order.begin(**shop)
    if cancelled:
        await order.cancel()
    try:
        await order.coordinator(version).react(message)
    except Crash:
        await order.coordinator(saga).react(message)


async def kinds(order: LiveOrder) -> Kinds:
    """What happened, stream by stream."""
    return [[type(event) for event in events] for events in (await order.streams()).values()]


@pytest.mark.parametrize("name", SHOPS)
def test_wherever_it_was_it_goes_on_as_it_began(eventstore_uri: str, name: str) -> None:
    shop, cancelled, answers = SHOPS[name]

    async def run() -> None:
        async with connected(eventstore_uri) as client:
            handler = patient_handler(client)
            whole = LiveOrder(handler)
            version, heard = ending_at(answers)
            await told(whole, version, shop, cancelled=cancelled)
            assert len(heard) == answers
            for number in range(answers):
                order = LiveOrder(handler)
                await told(order, ending_at(number)[0], shop, cancelled=cancelled)
                assert await kinds(order) == await kinds(whole)

    asyncio.run(run())


def test_one_that_begins_now_begins_on_the_second_and_asks_for_all_skus_at_once(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            order = LiveOrder(patient_handler(client))
            await order.coordinator().react(await order.begin())
            own = await order.recorded(order.stream)
            assert own[0].event == SagaVersionSet(version=2)
            stocks = [await order.recorded(stream) for stream in order.targets[2:]]
            reserved, consumed = ([each[number] for each in stocks] for number in (-2, -1))
            agreed = next(each for each in own if isinstance(each.event, DispatchAgreed))
            assert [each.metadata.causation_id for each in reserved] == [own[1].id, own[1].id]
            assert [each.metadata.causation_id for each in consumed] == [agreed.id, agreed.id]

    asyncio.run(run())
