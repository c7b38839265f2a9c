"""Operators' words of all kinds at random moments, and workers that fail at random: an oracle accepts the streams."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import groupby
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest

from domain.accounts.account import AccountCharged, ChargeRefunded
from domain.decider import Decider
from domain.engine_events import (
    ENGINE_EVENTS,
    SagaCancelRequested,
    SagaMessageWaiting,
    SagaPaused,
    SagaResumed,
    SagaStepSkipped,
    SagaUndoOrdered,
)
from domain.fulfilment.events import FulfilmentAbandoned, FulfilmentCompleted
from domain.message import Command, Event, Recorded
from domain.ordering.events import OrderCancelled, OrderShipped
from domain.stock.stock import ReservationConsumed, ReservationReleased, StockReserved, stock_id
from infrastructure.commands.request import Outcome, Request
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.errors import WordRefused
from infrastructure.sagas.operator_words import Cancel, Compensate, OperatorWord, Pause, Resume, Retry, Skip
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import request
from tests.infrastructure.sagas.fulfilments import Broken, Fulfilments, Order, fulfilling
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until_async

SECONDS: Final = 60.0
ORDERS: Final = 10
TURNS: Final = 10
WORDS: Final[Sequence[OperatorWord]] = (
    Pause("to look at it"),
    Resume("it is well"),
    Retry("it is mended"),
    Compensate("sold by mistake"),
    Cancel("the customer has called"),
    Skip("done by hand", "refund"),
    Skip("done by hand", "release"),
    Skip("done by hand", "charge"),
)
ENDS: Final = (FulfilmentCompleted, FulfilmentAbandoned)


@pytest.fixture(scope="module")
def own_uri() -> Iterator[str]:
    """A store whose orders are all of this module."""
    with EventStoreProcess(None) as process:
        yield process.uri


class Failing(Fulfilments):
    """What it asks for fails now and then, so that the instance stops."""

    def chance(self, dice: Random) -> None:
        self.dice = dice

    def _route(self, command: Command) -> Decider[Any, Any, Any]:
        if self.dice.random() < 0.1:
            raise Broken(type(command).__name__)
        return super()._route(command)


@asynccontextmanager
async def working(uri: str, dice: Random, group: str) -> AsyncIterator[None]:
    """A worker."""
    stop = asyncio.Event()
    async with connected(uri) as client, connected(uri) as own:
        failing = Failing(client)
        failing.chance(dice)
        options = ConsumerOptions(settling=0.5, sweep_every=1.0)
        task = asyncio.create_task(consume_saga(failing.coordinator, own, group, stop, options))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, SECONDS)
            await failing.handler.close()


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 40))])
def test_every_stream_is_one_that_an_oracle_accepts(own_uri: str, seed: int) -> None:
    async def run() -> None:
        dice, missing = Random(seed), {SagaPaused, SagaResumed, SagaUndoOrdered, SagaCancelRequested}
        for turn in range(TURNS):
            if missing:
                missing -= await said_to_some(own_uri, dice, f"race-{seed}-{turn}")
        assert not missing

    asyncio.run(run())


async def said_to_some(uri: str, dice: Random, group: str) -> set[type[Event]]:
    """What the words to some orders led to, whose streams were judged: an order that is soon over refuses most."""
    async with fulfilling(uri) as shop, working(uri, dice, group), working(uri, dice, group):
        orders = await asyncio.gather(*(shop.order(funds=dice.choice(["20.00", "19.00"])) for _ in range(ORDERS)))
        said = await asyncio.gather(*(talk(shop, order, dice) for order in orders))
        await asyncio.gather(*(mended(shop, order, dice) for order in orders))
        for order, words in zip(orders, said, strict=True):
            await judge(shop, order, words)
    return {type(event) for words in said for _, outcome in words for event in outcome.events}


async def talk(shop: Fulfilments, order: Order, dice: Random) -> list[tuple[Request, Outcome]]:
    """Words to one instance, each of them sent twice; those that changed anything, with what came of them."""
    done: list[tuple[Request, Outcome]] = []
    await poll_until_async(lambda: began(shop, order), SECONDS, what="an instance")
    for _ in range(16):
        for _ in range(dice.randrange(6)):
            await shop.story(order.stream)
        word, asked = dice.choice(WORDS), request()
        try:
            outcome = await shop.say(order, word, asked)
        except WordRefused:
            continue
        if outcome.events:
            again = await shop.say(order, word, asked)
            assert (again.version, again.last_id, again.repeated) == (outcome.version, outcome.last_id, True)
            done.append((asked, outcome))
    return done


async def began(shop: Fulfilments, order: Order) -> bool:
    return bool(await shop.story(order.stream))


async def mended(shop: Fulfilments, order: Order, dice: Random) -> None:
    """Whatever keeps it from its end is put right, as often as that takes.

    One that is over may stand still: a worker whose command failed notes that after another one has brought it to its
    end.
    """

    async def has_ended() -> bool:
        is_over = any(isinstance(event, ENDS) for event in await shop.events(order.stream))
        if is_over and not (await shop.words().read(order.stream)).standing.waiting:
            return True
        for word in (dice.choice(WORDS[-3:]), Resume("at last"), Retry("at last")):
            with suppress(WordRefused):
                await shop.say(order, word)
        return False

    await poll_until_async(has_ended, SECONDS, what=f"the end of {order.stream}")


async def judge(shop: Fulfilments, order: Order, words: Sequence[tuple[Request, Outcome]]) -> None:
    """Raises AssertionError where anything took effect twice, or not as it was told."""
    own = await shop.recorded(order.stream)
    account = await shop.recorded(f"account-{order.account}")
    shelves = [await shop.recorded(f"stock-{stock_id(sku)}") for sku in order.skus]
    order_told = await shop.recorded(f"order-{order.id}")
    for stream in (own, account, order_told, *shelves):
        assert each_once(stream)
    facts = [each.event for each in own if not isinstance(each.event, ENGINE_EVENTS)]
    assert [type(fact) in ENDS for fact in facts] == [False] * (len(facts) - 1) + [True]
    is_shipped = isinstance(facts[-1], FulfilmentCompleted)
    kinds = [type(each.event) for each in order_told]
    assert (kinds.count(OrderShipped), kinds.count(OrderCancelled)) == ((1, 0) if is_shipped else (0, 1))
    skipped = {each.event.step for each in own if isinstance(each.event, SagaStepSkipped)}
    judge_books(is_shipped, skipped, account, dict(zip(order.skus, shelves, strict=True)))
    assert nothing_is_stored_while_paused(own)
    versions = {each.metadata.command_id: each.version for each in own}
    assert [versions[asked.command_id] for asked, _ in words] == [outcome.version for _, outcome in words]


def judge_books(is_shipped: bool, skipped: set[str], account: Sequence[Any], shelves: dict[str, Sequence[Any]]) -> None:
    """What is skipped was done by hand, and may have been under way as well."""
    money = Counter(type(each.event) for each in account)
    charged, refunded = money[AccountCharged], money[ChargeRefunded]
    kept = 1 if is_shipped else refunded if "refund" not in skipped else charged
    assert charged <= 1
    assert refunded in ({0} if is_shipped else {charged, 0} if "refund" in skipped else {charged})
    assert kept == charged
    for sku, told in shelves.items():
        goods = Counter(type(each.event) for each in told)
        held, released, consumed = goods[StockReserved], goods[ReservationReleased], goods[ReservationConsumed]
        assert held <= 1
        assert consumed == (1 if is_shipped else 0)
        by_hand = f"release:{sku}" in skipped
        assert released in ({0} if is_shipped else {held, 0} if by_hand else {held})


def each_once(stream: Sequence[Recorded[Any]]) -> bool:
    """Whether what each command left stands together, so that none was decided twice.

    What the engine notes of a message, such as that the instance stopped at it, may be noted again.
    """
    told = [each for each in stream if each.metadata.actor == "anonymous" or not isinstance(each.event, ENGINE_EVENTS)]
    commands: list[UUID] = [key for key, _ in groupby(told, lambda each: each.metadata.command_id)]
    return len(commands) == len(set(commands))


def nothing_is_stored_while_paused(own: Sequence[Recorded[Any]]) -> bool:
    """But that messages wait, and operators' words."""
    is_paused = False
    for each in own:
        if is_paused and each.metadata.actor.startswith("saga:") and not isinstance(each.event, SagaMessageWaiting):
            return False
        is_paused = (is_paused or isinstance(each.event, SagaPaused)) and not isinstance(each.event, SagaResumed)
    return True
