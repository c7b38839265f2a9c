"""A release is not refused for what operators did with open instances: no answer explains it, and none has to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.message import Recorded
from domain.saga import Saga
from domain.saga_steps import END, Outcome, Step
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.operator_words import Compensate, OperatorWord, Pause, Skip
from infrastructure.sagas.replay import Finding
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import broken
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandEvent,
    Errands,
    ThingFetched,
    ThingMissing,
    ThingReturned,
    hear,
    new_tag,
    request,
)
from tests.infrastructure.sagas.shelf import PutBack, Return, Take, Taken, TakingDeclined
from tests.infrastructure.sagas.test_a_release_is_checked_against_open_histories import findings
from tests.infrastructure.sagas.test_versions_of_a_saga_run_side_by_side import Crash, deaf


def by_hand(command: Return, errand: Errand) -> list[ErrandEvent]:
    return [ThingReturned(shelf_id=command.shelf_id)]


def undo(why: str, errand: Errand) -> list[ErrandEvent]:
    return [] if errand.undoing else [ThingMissing(shelf_id=why)]


def operable(saga: Saga[Errand, ErrandEvent]) -> Saga[Errand, ErrandEvent]:
    """An errand that can be undone, and whose returning can be done by hand. Only what it holds no more ends it."""
    take = Step(
        "take",
        Take,
        {Taken: Outcome(ThingFetched, ("take", END)), TakingDeclined: Outcome(ThingMissing, ("return",))},
        undo="return",
    )
    back = Step("return", Return, {PutBack: Outcome(ThingReturned, ("return", END))}, skip_leaves=by_hand)
    return replace(saga, on_compensate=undo, steps=(take, back))


class Worked:
    """An errand for two things, of which it has both, or as many as there are."""

    def __init__(self, client: CommandClient, errands: Errands, message: Recorded[Any]) -> None:
        self.client, self.errands, self.message = client, errands, message
        self.stream = errands.stream(message.event.errand_id)
        self.shelves = message.event.shelves

    async def say(self, word: OperatorWord) -> None:
        await self.errands.desk(self.client).say(self.stream, word, request())

    async def react(self, errands: Errands | None = None) -> None:
        await (errands or self.errands).coordinator(self.client).react(self.message)

    async def findings(self) -> list[Finding]:
        return await findings(self.client, self.errands.saga, self.errands.route, self.errands.codec)


def tell(uri: str, story: Callable[[Worked], Awaitable[None]], *numbers: int) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            errands = Errands(new_tag(), build=operable)
            message = await errands.ask(client, await errands.stocked(client, *numbers))
            await story(Worked(client, errands, message))

    asyncio.run(run())


def test_a_step_that_was_skipped_after_it_took_effect(eventstore_uri: str) -> None:
    """Its answer stands in the shelf's stream, unheard; the next one is pending."""

    async def story(worked: Worked) -> None:
        with pytest.raises(Crash):
            await worked.react(Errands(worked.errands.tag, build=operable, hear=_deaf_to_returns()))
        assert await worked.findings() == []
        await worked.say(Pause("to look at it"))
        await worked.say(Skip("brought back by hand", f"return:{worked.shelves[0]}"))
        assert await worked.findings() == []

    tell(eventstore_uri, story, 1, 1, 0)


def _deaf_to_returns() -> Any:
    def heard(ask: Any, answer: Any, errand: Errand) -> list[ErrandEvent]:
        return deaf(ask, answer, errand) if isinstance(ask.command, Return) else hear(ask, answer, errand)

    return heard


def test_an_order_to_undo_and_what_followed(eventstore_uri: str) -> None:
    async def story(worked: Worked) -> None:
        mended, worked.errands.route = worked.errands.route, broken
        with pytest.raises(KeyError):
            await worked.react()
        worked.errands.route = mended
        await worked.say(Compensate("so"))
        assert await worked.findings() == []
        worked.errands.route = lambda command: broken(command) if isinstance(command, Return) else mended(command)
        with pytest.raises(KeyError):
            await worked.react()
        worked.errands.route = mended
        told = [event.stored_name for event in await worked.errands.story(worked.client, worked.stream)]
        assert told[-2:] == ["ErrandThingMissing", "SagaUndoTaken"]
        assert await worked.findings() == []

    tell(eventstore_uri, story, 1, 1)
