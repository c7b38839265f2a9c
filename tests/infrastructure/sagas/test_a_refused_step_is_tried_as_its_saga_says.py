"""A step that its target refuses is asked for as often as its saga says; then it is undone, or the instance stands."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from domain.decider import Decider
from domain.engine_events import SagaMessageTaken, SagaResumed
from domain.errors import Rejected
from domain.message import Command, Event, Recorded
from domain.retry_rule import RetryRule
from domain.saga import Ask
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.errors import SagaStuck, StepExhausted, StepRefused
from infrastructure.sagas.failures import after_failure
from infrastructure.subscriptions.policy import Retry, Stop
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import consuming, resume, stop_at, until_done, until_recorded
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    Errands,
    ThingFetched,
    ThingMissing,
    ThingReturned,
    new_tag,
)
from tests.infrastructure.sagas.shelf import shelf
from tests.support.counted import saga_steps

SOON: Final = timedelta(milliseconds=1)
REFUSED: Final = Rejected("closed", "It is closed.")
UNDO: Final = RetryRule(3, SOON, SOON, exhausted="undo")
STAND: Final = RetryRule(3, SOON, SOON)


def give_up(ask: Ask, reason: str, errand: Errand) -> list[ErrandEvent]:
    """What can't be taken since its shelf is closed is missing."""
    return [ThingMissing(shelf_id=ask.command.aggregate_id)] if reason == REFUSED.rule else []


class Refusing(Errands):
    """Errands to two shelves, the second of which refuses the next so many commands of a kind."""

    def __init__(self, take: RetryRule, give_back: RetryRule | None = None) -> None:
        super().__init__(new_tag(), route=self._refuse)
        rules = {"take": take, "return": give_back}
        self.saga = replace(self.saga, retry=lambda step: rules[step.partition(":")[0]], on_failed=give_up)
        self.asked: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.first = self.second = ""

    async def begin(self, client: CommandClient, take: int = 0, give_back: int = 0) -> Recorded[Any]:
        """The second shelf refuses to give so often, the first one to take back."""
        self.first, self.second = await self.stocked(client, 1, 1)
        self.refusals.update({("Take", self.second): take, ("Return", self.first): give_back})
        return await self.ask(client, [self.first, self.second])

    def _refuse(self, command: Command) -> Decider[Any, Any, Any]:
        key = type(command).__name__, command.aggregate_id
        self.asked[key] += 1
        if self.refusals[key] > 0:
            self.refusals[key] -= 1
            raise REFUSED
        return shelf

    def begun(self, message: Recorded[Any]) -> list[Event]:
        shelves = message.event.shelves
        return [ErrandBegun(errand_id=message.event.errand_id, shelves=shelves), ThingFetched(shelf_id=self.first)]


def tell(uri: str, errands: Refusing, story: Callable[[CommandClient, Refusing], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            await story(client, errands)

    asyncio.run(run())


async def told(client: CommandClient, errands: Errands, message: Recorded[Any]) -> list[Event]:
    return await errands.story(client, errands.stream(message.event.errand_id))


@pytest.mark.parametrize(("rule", "times"), [(UNDO, 3), (replace(UNDO, final=frozenset({"closed"})), 1)])
def test_one_that_is_refused_too_often_or_for_good_is_undone(eventstore_uri: str, rule: RetryRule, times: int) -> None:
    async def story(client: CommandClient, errands: Refusing) -> None:
        message = await errands.begin(client, take=99)
        async with consuming(eventstore_uri, errands):
            await until_done(client, message, 4)
        undone = [ThingMissing(shelf_id=errands.second), ThingReturned(shelf_id=errands.first)]
        assert await told(client, errands, message) == [*errands.begun(message), *undone]
        assert errands.asked["Take", errands.second] == times
        results = {result: number for (_, result), number in saga_steps(errands.counts).items()}
        assert results == {"answered": 2, "refused": 1, **({"failed": times - 1} if times > 1 else {})}

    tell(eventstore_uri, Refusing(rule), story)


def test_one_that_is_taken_in_the_end_leaves_no_trace_of_its_attempts(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Refusing) -> None:
        message = await errands.begin(client, take=2)
        async with consuming(eventstore_uri, errands):
            await until_done(client, message, 3)
        assert await told(client, errands, message) == [
            *errands.begun(message),
            ThingFetched(shelf_id=errands.second),
        ]

    tell(eventstore_uri, Refusing(UNDO), story)


def test_one_that_is_to_stand_stops_its_instance_until_it_goes_on(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Refusing) -> None:
        message = await errands.begin(client, take=5)
        async with consuming(eventstore_uri, errands):
            await until_recorded(client, message, 3)
            await resume(client, errands, message.event.errand_id)
            await until_recorded(client, message, 6)
        stopped = stop_at(message, f"take:{errands.second} was refused, attempt 3: closed: It is closed.")
        assert await told(client, errands, message) == [
            *errands.begun(message),
            stopped,
            SagaResumed(why="it is mended"),
            ThingFetched(shelf_id=errands.second),
            SagaMessageTaken(message_id=str(message.id)),
        ]
        assert errands.asked["Take", errands.second] == 6

    tell(eventstore_uri, Refusing(STAND), story)


def test_an_undoing_that_fails_is_tried_again_and_then_stands_where_an_operator_sees_it(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Refusing) -> None:
        message = await errands.begin(client, take=3, give_back=4)
        async with consuming(eventstore_uri, errands):
            await until_recorded(client, message, 4)
            stopped = (await told(client, errands, message))[-1]
            assert stopped == stop_at(message, f"return:{errands.first} was refused, attempt 3: closed: It is closed.")
            await resume(client, errands, message.event.errand_id)
            await until_done(client, message, 4)
        assert ThingReturned(shelf_id=errands.first) in await told(client, errands, message)
        assert errands.asked["Return", errands.first] == 5

    tell(eventstore_uri, Refusing(UNDO, STAND), story)


def test_all_messages_of_an_instance_share_the_attempts_at_a_step(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Refusing) -> None:
        message = await errands.begin(client, take=99)
        again = await errands.ask(client, message.event.shelves, message.event.errand_id)
        coordinator = errands.coordinator(client)
        for each in (message, again):
            with pytest.raises(StepRefused, match="was refused: closed: It is closed"):
                await coordinator.react(each)
        await coordinator.react(message)
        assert errands.asked["Take", errands.second] == 3
        assert (await told(client, errands, message))[2] == ThingMissing(shelf_id=errands.second)

    tell(eventstore_uri, Refusing(UNDO), story)


def test_a_saga_that_says_nothing_of_a_step_that_it_gives_up_is_stuck(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Refusing) -> None:
        message = await errands.begin(client, take=99)
        errands.saga = replace(errands.saga, on_failed=lambda ask, reason, errand: [])
        with pytest.raises(SagaStuck, match="is pending still after its answer"):
            await errands.coordinator(client).react(message)

    tell(eventstore_uri, Refusing(replace(UNDO, times=1)), story)


def test_the_pauses_and_the_standstill_are_the_rules() -> None:
    reaction = after_failure(StepRefused("s-0", "take", REFUSED, timedelta(seconds=4)), 1_000)
    assert isinstance(reaction, Retry)
    assert 3.0 <= reaction.after <= 5.0
    said = "take was refused, attempt 3: closed: It is closed."
    assert after_failure(StepExhausted("s-0", "take", REFUSED, 3), 1) == Stop(said)
