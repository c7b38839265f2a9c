"""An answer says what the log holds, not what would be decided today, nor "nothing was done" where it may be."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from domain.errors import Rejected, Unknown
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.errors import StoreUnavailable
from tests.infrastructure.commands.stories import count, facts, opened, version_of
from tests.infrastructure.commands.tally import (
    CODEC,
    Counted,
    CountUpTo,
    OpenTally,
    Tally,
    TallyCommand,
    TallyEvent,
    TallyOpened,
    connected,
    decider,
    request,
)
from tests.infrastructure.eventstore.proxy import line_to


def generous(command: TallyCommand, tally: Tally) -> list[TallyEvent]:
    """As another release decides: a tally is opened with ten times the limit."""
    events = decider.decide(command, tally)
    return [TallyOpened(limit=10 * event.limit) if isinstance(event, TallyOpened) else event for event in events]


def test_a_repeat_is_answered_and_remembered_as_it_was_decided_then(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            tally, first = str(uuid4()), request()
            opening = OpenTally(tally_id=tally, limit=Decimal(10))
            answer = await CommandHandler(client, CODEC).handle(decider, opening, first)
            newer, later = CommandHandler(client, CODEC), replace(decider, decide=generous)
            with pytest.raises(Unknown):  # reads a stream, which says little about the log's end
                await newer.handle(later, count(str(uuid4())), request())
            assert await newer.handle(later, opening, first) == replace(answer, repeated=True)
            with pytest.raises(Rejected) as refusal:
                await newer.handle(later, count(tally, 50), request())
            assert refusal.value.rule == "limit-exceeded"

    asyncio.run(run())


def test_a_repeat_on_stale_memory_is_one_of_the_past_too(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            tally, same, stale = str(uuid4()), request(), CommandHandler(client, CODEC)
            await opened(stale, tally, limit=10)
            other = CommandHandler(client, CODEC)
            answer = await other.handle(decider, count(tally, 3), same)
            await opened(stale, str(uuid4()))  # hears of a newer position
            assert await stale.handle(decider, count(tally, 3), same) == replace(answer, repeated=True)
            assert facts(await stale.handle(decider, count(tally, 2), request())) == [(2, Counted(by=Decimal(2)))]

    asyncio.run(run())


def test_a_lost_race_and_then_silence_is_no_conflict(eventstore_uri: str) -> None:
    """The append that was not answered may have happened, which nobody may take for a refusal."""

    async def run() -> None:
        async with (
            connected(eventstore_uri) as direct,
            line_to(eventstore_uri) as (line, uri),
            connected(uri) as client,
        ):
            tally, decisions, handler = str(uuid4()), list[Tally](), CommandHandler(client, CODEC)
            await opened(handler, tally)
            await CommandHandler(direct, CODEC).handle(decider, count(tally), request())

            def decide(command: TallyCommand, state: Tally) -> list[TallyEvent]:
                decisions.append(state)
                if len(decisions) == 2:
                    line.mute_at = b"Counted"
                return decider.decide(command, state)

            with pytest.raises(StoreUnavailable):
                await handler.handle(replace(decider, decide=decide), count(tally), request(), seconds=1.5)
            assert [state.count for state in decisions] == [0, 1]
            assert await version_of(direct, f"tally-{tally}") == 2

    asyncio.run(run())


def test_a_fold_that_fails_after_the_append_loses_no_command(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            tally, handler, failures = str(uuid4()), CommandHandler(client, CODEC), [ZeroDivisionError("a bug")]

            def evolve(state: Tally, event: TallyEvent) -> Tally:
                if isinstance(event, Counted) and failures:
                    raise failures.pop()
                return decider.evolve(state, event)

            faulty, same = replace(decider, evolve=evolve), request()
            await handler.handle(faulty, OpenTally(tally_id=tally, limit=Decimal(9)), request())
            with pytest.raises(ZeroDivisionError):
                await handler.handle(faulty, count(tally, 2), same)
            again = await handler.handle(faulty, count(tally, 2), same)
            assert (facts(again), again.repeated) == ([(1, Counted(by=Decimal(2)))], True)
            reached = await handler.handle(faulty, CountUpTo(tally_id=tally, number=Decimal(2)), request())
            assert (reached.events, reached.version) == ((), 1)

    asyncio.run(run())
