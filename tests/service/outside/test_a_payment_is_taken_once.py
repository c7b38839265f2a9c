"""A saga's payment is taken once, whether the provider fails, answers late, hangs up, or forgets what it was asked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest

from domain.call import Call, Unknown
from domain.engine_events import SagaCallBegun, SagaStopped
from domain.message import Recorded
from domain.money import Money
from domain.payment import PaymentAccepted, PaymentAnswer, TakePayment
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.errors import CallStands, CallUnanswered, CallUnsent, SagaStuck
from infrastructure.sagas.failures import after_failure
from infrastructure.sagas.outside import Outside, Performer
from infrastructure.subscriptions.policy import Retry, Stop
from service.outside.payment_provider import PaymentProvider
from tests.domain.values import money
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import consuming, resume, until_recorded
from tests.infrastructure.sagas.errand import (
    NOW,
    Errand,
    ErrandBegun,
    ErrandEvent,
    Errands,
    ThingFetched,
    ThingMissing,
    new_tag,
)
from tests.service.outside.bank import Bank, Mood, open_bank

PRICE: Money = money("9.90")
Story = Callable[["Till"], Awaitable[None]]


class Crash(BaseException):
    """Ends a worker where no code of its own goes on."""


@pytest.fixture(scope="module")
def one_bank() -> Iterator[Bank]:
    with open_bank() as bank:
        yield bank


@pytest.fixture
def bank(one_bank: Bank) -> Bank:
    one_bank.moods, one_bank.keys, one_bank.taken, one_bank.asked = [], {}, [], 0
    return one_bank


class Till:
    """An errand that pays for what it is asked for, at a bank, with a rule for what is not known."""

    def __init__(self, client: CommandClient, http: httpx.AsyncClient, bank: Bank, unknown: Unknown) -> None:
        self.client, self.bank, self.now = client, bank, NOW
        self.errands = Errands(new_tag())
        self.provider = PaymentProvider(http)

        def pending(errand: Errand) -> list[Call]:
            if errand.undoing:
                return []
            requests = [TakePayment(reference=each, amount=PRICE) for each in errand.ahead]
            return [Call(f"pay:{each.reference}", each, unknown, seconds=0.3) for each in requests]

        self.errands.saga = replace(self.errands.saga, pending=pending, on_answer=heard)

    def coordinator(self, performer: Performer | None = None) -> SagaCoordinator:
        """Of a process that remembers nothing."""
        outside = Outside({TakePayment: performer or self.provider.performer})
        handler, saga = CommandHandler(self.client, self.errands.codec), self.errands.saga
        return SagaCoordinator(saga, self.errands.route, handler, self.errands.codec, outside=outside, clock=self._time)

    def _time(self) -> datetime:
        return self.now

    async def ask(self, *references: str) -> Recorded[Any]:
        return await self.errands.ask(self.client, references)

    async def story(self, message: Recorded[Any]) -> list[Any]:
        return await self.errands.story(self.client, self.errands.stream(message.event.errand_id))


def heard(call: Call, answer: PaymentAnswer, errand: Errand) -> Sequence[ErrandEvent]:
    reference = call.request.reference
    if isinstance(answer, PaymentAccepted):
        return [ThingFetched(shelf_id=f"{reference} {answer.payment_id}"), ThingFetched(shelf_id=reference)]
    return [ThingMissing(shelf_id=f"{reference} {answer.reason}")]


def tell(uri: str, bank: Bank, unknown: Unknown, story: Story) -> None:
    async def run() -> None:
        async with connected(uri) as client, httpx.AsyncClient(base_url=bank.url, trust_env=False, timeout=5) as http:
            await story(Till(client, http, bank, unknown))

    asyncio.run(run())


def test_an_answer_is_stored_under_the_key_that_the_provider_saw(eventstore_uri: str, bank: Bank) -> None:
    async def story(till: Till) -> None:
        message = await till.ask("book")
        await till.coordinator().react(message)
        begun, paid, _ = await till.errands.recorded(till.client, till.errands.stream(message.event.errand_id))
        assert paid.event == ThingFetched(shelf_id="book payment-1")
        assert bank.taken == [(str(uuid5(begun.id, "pay:book")), "9.90")]
        assert (paid.metadata.command_id, paid.metadata.causation_id) == (uuid5(begun.id, "pay:book"), begun.id)

    tell(eventstore_uri, bank, "ask again", story)


def test_a_no_is_an_answer(eventstore_uri: str, bank: Bank) -> None:
    async def story(till: Till) -> None:
        message = await till.ask("poor")
        await till.coordinator().react(message)
        assert (await till.story(message))[1:] == [ThingMissing(shelf_id="poor no-funds")]
        assert bank.taken == []

    tell(eventstore_uri, bank, "ask again", story)


@pytest.mark.parametrize("mood", ["away", "fails after", "hangs up", "late"])
@pytest.mark.parametrize("unknown", ["ask again", "look up"])
def test_a_consumer_tries_until_it_knows_and_the_payment_is_taken_once(
    eventstore_uri: str, bank: Bank, unknown: Unknown, mood: Mood
) -> None:
    async def story(till: Till) -> None:
        bank.moods = [mood]
        message = await till.ask("book")
        noted = 0 if unknown == "ask again" else 1
        async with consuming(eventstore_uri, till.errands, coordinator=till.coordinator()):
            await until_recorded(till.client, message, 3 + noted)
        paid = [ThingFetched(shelf_id="book payment-1"), ThingFetched(shelf_id="book")]
        assert (await till.story(message))[1 + noted :] == paid
        assert len(bank.taken) == 1
        assert bank.asked == (1 if unknown == "look up" and mood != "away" else 2)

    tell(eventstore_uri, bank, unknown, story)


def test_a_provider_that_has_forgotten_the_key_is_not_asked_twice_where_it_is_looked_up(
    eventstore_uri: str, bank: Bank
) -> None:
    """The worker dies after the payment; the next one looks, once no other can have it in hand."""

    async def story(till: Till) -> None:
        async def dying(request: TakePayment, key: UUID) -> None:
            await till.provider.take(request, key)
            raise Crash

        message = await till.ask("book")
        with pytest.raises(Crash):
            await till.coordinator(Performer(dying, till.provider.look_up)).react(message)
        bank.forget()
        with pytest.raises(CallUnsent, match="may be in hand of another worker"):
            await till.coordinator().react(message)
        till.now += timedelta(seconds=0.6)
        await till.coordinator().react(message)
        await till.coordinator().react(message)
        errand, until = message.event.errand_id, till.now
        assert await till.story(message) == [
            ErrandBegun(errand_id=errand, shelves=("book",)),
            SagaCallBegun(step="pay:book", unknown="look up", until=until),
            ThingFetched(shelf_id="book payment-1"),
            ThingFetched(shelf_id="book"),
        ]
        assert (len(bank.taken), bank.asked) == (1, 1)

    tell(eventstore_uri, bank, "look up", story)


def test_a_payment_of_which_nothing_is_known_stands_until_somebody_has_looked(eventstore_uri: str, bank: Bank) -> None:
    async def story(till: Till) -> None:
        bank.moods = ["hangs up"]
        message = await till.ask("book")
        async with consuming(eventstore_uri, till.errands, coordinator=till.coordinator()):
            await until_recorded(till.client, message, 3)
            told = await till.story(message)
            assert isinstance(told[2], SagaStopped)
            assert "whether pay:book was done is not known" in told[2].error
            assert bank.asked == 1
            await resume(till.client, till.errands, message.event.errand_id)
            await until_recorded(till.client, message, 8)
        assert ThingFetched(shelf_id="book payment-1") in await till.story(message)
        assert (len(bank.taken), bank.asked) == (1, 2)

    tell(eventstore_uri, bank, "stand", story)


def test_of_several_calls_at_once_those_that_are_answered_are_stored(eventstore_uri: str, bank: Bank) -> None:
    async def story(till: Till) -> None:
        bank.moods = ["away"]
        message = await till.ask("book", "lamp", "desk")
        with pytest.raises(CallUnsent):
            await till.coordinator().react(message)
        assert len(await till.story(message)) == 5
        await till.coordinator().react(message)
        assert len(bank.taken) == 3
        assert bank.asked == 4

    tell(eventstore_uri, bank, "ask again", story)


def test_a_call_that_nobody_performs_is_named(eventstore_uri: str, bank: Bank) -> None:
    async def story(till: Till) -> None:
        message = await till.ask("book")
        with pytest.raises(SagaStuck, match=r"pay:book of .* has nobody to perform or look up TakePayment"):
            await till.coordinator(Performer(till.provider.take)).react(message)

    tell(eventstore_uri, bank, "look up", story)


def test_a_call_that_was_not_sent_is_waited_for_and_one_that_stands_stops_at_once() -> None:
    assert isinstance(after_failure(CallUnsent("away"), 1_000), Retry)
    assert isinstance(after_failure(CallUnanswered("late"), 7), Retry)
    assert isinstance(after_failure(CallUnanswered("late"), 8), Stop)
    assert isinstance(after_failure(CallStands("pay", "late"), 1), Stop)
