"""What another coordinator stores first is taken over; what was stored without an answer is found: each fact once."""

import asyncio
from typing import Any
from uuid import UUID, uuid5

import pytest

from domain.decider import Decider
from domain.message import Command, Recorded
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.commands.request import Outcome, Request
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.sagas.coordinator import SagaCoordinator
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.proxy import line_to
from tests.infrastructure.sagas.errand import ErrandBegun, Errands, ThingFetched, ThingMissing, ThingReturned, new_tag
from tests.infrastructure.sagas.shelf import PutBack, Stocked, Taken, TakingDeclined


class OvertakenHandler(CommandHandler):
    """After the command of number `at` a rival brings the saga to its end, before the answer is given."""

    def __init__(self, errands: Errands, client: CommandClient, message: Recorded[Any], at: int) -> None:
        super().__init__(client, errands.codec)
        self._rival = errands.coordinator(client)
        self._message = message
        self._at = at
        self.asked: list[UUID] = []

    async def handle(
        self,
        decider: Decider[Any, Any, Any],
        command: Command,
        request: Request,
        *,
        seconds: float | None = None,
    ) -> Outcome:
        number = len(self.asked)
        self.asked.append(request.command_id)
        outcome = await super().handle(decider, command, request, seconds=seconds)
        if number == self._at:
            await self._rival.react(self._message)
        return outcome


@pytest.mark.parametrize("at", range(5))
def test_a_rival_that_is_faster_leaves_nothing_to_be_asked(eventstore_uri: str, at: int) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            first, second, empty = await errands.stocked(client, 1, 1, 0)
            message = await errands.ask(client, [first, second, empty])
            handler = OvertakenHandler(errands, client, message, at)
            await SagaCoordinator(errands.saga, errands.route, handler, errands.codec).react(message)
            await _demand_each_once(errands, client, message, [first, second, empty])
            facts = await errands.recorded(client, errands.stream(message.event.errand_id))
            steps = [f"take:{first}", f"take:{second}", f"take:{empty}", f"return:{second}", f"return:{first}"]
            begun, _, _, missing, *_ = facts
            causes = [begun, begun, begun, missing, missing]
            commands = [uuid5(cause.id, step) for cause, step in zip(causes, steps, strict=True)]
            assert handler.asked == commands[: 3 if at < 3 else 5]  # the rest of its round is under way by then

    asyncio.run(run())


@pytest.mark.parametrize("fact", [ErrandBegun, ThingMissing, ThingReturned], ids=lambda fact: fact.stored_name)
def test_a_fact_that_was_stored_without_an_answer_is_found_by_the_next(
    eventstore_uri: str, fact: type[ErrandBegun | ThingMissing | ThingReturned]
) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with (
            line_to(eventstore_uri) as (line, through),
            connected(through) as behind_it,
            connected(eventstore_uri) as client,
        ):
            shelves = await errands.stocked(client, 1, 1, 0)
            message = await errands.ask(client, shelves)
            hurried = CommandHandler(behind_it, errands.codec, bounds=Bounds(call_seconds=1.0, patience=1.0))
            coordinator = SagaCoordinator(errands.saga, errands.route, hurried, errands.codec)
            line.mute_at = fact.stored_name.encode()
            with pytest.raises(StoreUnavailable):
                await coordinator.react(message)
            line.restore()
            told = await errands.story(client, errands.stream(message.event.errand_id))
            assert type(told[-1]) is fact
            await errands.coordinator(client).react(message)
            await _demand_each_once(errands, client, message, shelves)

    asyncio.run(run())


async def _demand_each_once(
    errands: Errands, client: CommandClient, message: Recorded[Any], shelves: list[str]
) -> None:
    """Two things were fetched, the third is missing, all is put back."""
    first, second, empty = shelves
    errand = message.event.errand_id
    assert await errands.story(client, errands.stream(errand)) == [
        ErrandBegun(errand_id=errand, shelves=(first, second, empty)),
        ThingFetched(shelf_id=first),
        ThingFetched(shelf_id=second),
        ThingMissing(shelf_id=empty),
        ThingReturned(shelf_id=second),
        ThingReturned(shelf_id=first),
    ]
    for shelf_id in (first, second):
        told = await errands.story(client, f"shelf-{shelf_id}")
        assert told == [Stocked(number=1), Taken(errand_id=errand), PutBack(errand_id=errand)]
    assert await errands.story(client, f"shelf-{empty}") == [Stocked(number=0), TakingDeclined(errand_id=errand)]
