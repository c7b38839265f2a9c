"""A command is decided against its stream, and appends what it decides or nothing."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from domain.errors import Rejected, Unknown
from domain.message import Metadata
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import ConcurrencyConflict, VersionMismatch
from tests.infrastructure.commands.stories import count, facts, opened, stored, tell, version_of
from tests.infrastructure.commands.tally import (
    CODEC,
    CORRELATION,
    NOW,
    Counted,
    CountUpTo,
    LimitMet,
    OpenTally,
    Tally,
    TallyCommand,
    TallyEvent,
    TallyOpened,
    decider,
    request,
)
from tests.infrastructure.eventstore.operator import operating


def test_a_command_appends_what_it_decides(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        created = await opened(handler, tally, limit=5)
        assert facts(created) == [(0, TallyOpened(limit=Decimal(5)))]
        counted = await handler.handle(decider, count(tally, 5), request())
        assert facts(counted) == [(1, Counted(by=Decimal(5))), (2, LimitMet())]
        assert (counted.stream, counted.version, counted.repeated) == (f"tally-{tally}", 2, False)
        records = await stored(client, counted.stream)
        assert [(record.id, record.position) for record in (records[0], records[2])] == [
            (created.last_id, created.position),
            (counted.last_id, counted.position),
        ]

    tell(eventstore_uri, story)


def test_an_event_says_who_caused_it_and_why(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        command_id = uuid4()
        outcome = await handler.handle(
            decider, OpenTally(tally_id=tally, limit=Decimal(1)), request(command_id, digest="abc")
        )
        [record] = await stored(client, outcome.stream)
        [recorded] = CODEC.events_in(record)
        assert recorded.id == outcome.last_id
        assert recorded.metadata == Metadata(
            correlation_id=CORRELATION,
            causation_id=command_id,
            command_id=command_id,
            digest="abc",
            actor="anonymous",
            tenant="default",
            schema_version=1,
            time=NOW,
        )

    tell(eventstore_uri, story)


def test_a_command_that_changes_nothing_appends_nothing(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        counted = await handler.handle(decider, count(tally, 7), request())
        nothing = await handler.handle(decider, CountUpTo(tally_id=tally, number=Decimal(5)), request())
        assert nothing == replace(counted, events=())

    tell(eventstore_uri, story)


def test_nothing_decided_about_nothing_has_no_place_in_the_log(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        nothing = await handler.handle(decider, CountUpTo(tally_id=tally, number=Decimal(0)), request())
        assert nothing == Outcome(f"tally-{tally}", (), -1, 0, None, repeated=False)

    tell(eventstore_uri, story)


def test_what_does_not_exist_is_unknown_before_its_version_matters(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        with pytest.raises(Unknown):
            await handler.handle(decider, count(tally), request(if_version=3))

    tell(eventstore_uri, story)


@pytest.mark.parametrize("by", [1, 999], ids=["allowed", "against a rule"])
def test_another_version_than_the_expected_is_refused_before_any_rule(eventstore_uri: str, by: int) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        with pytest.raises(VersionMismatch) as refusal:
            await handler.handle(decider, count(tally, by), request(if_version=3))
        assert (refusal.value.expected, refusal.value.current) == (3, 0)

    tell(eventstore_uri, story)


def test_a_creation_matches_no_version(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        with pytest.raises(VersionMismatch) as refusal:
            await handler.handle(decider, OpenTally(tally_id=tally, limit=Decimal(1)), request(if_version=0))
        assert (refusal.value.expected, refusal.value.current) == (0, None)

    tell(eventstore_uri, story)


def test_the_expected_version_lets_exactly_one_of_many_through(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        sent = [handler.handle(decider, count(tally), request(if_version=0)) for _ in range(8)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["Outcome"] + ["VersionMismatch"] * 7

    tell(eventstore_uri, story)


def test_many_writers_of_one_process_all_get_their_turn(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=50)
        outcomes = await asyncio.gather(*(handler.handle(decider, count(tally), request()) for _ in range(50)))
        assert sorted(facts(outcome)[0][0] for outcome in outcomes) == list(range(1, 51))
        with pytest.raises(Rejected):
            await handler.handle(decider, count(tally), request())

    tell(eventstore_uri, story)


def test_writers_that_know_nothing_of_each_other_each_count_once(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=12)
        strangers = [CommandHandler(client, CODEC, bounds=Bounds(patience=30.0)) for _ in range(12)]
        outcomes = await asyncio.gather(*(one.handle(decider, count(tally), request()) for one in strangers))
        assert sorted(facts(outcome)[0][0] for outcome in outcomes) == list(range(1, 13))

    tell(eventstore_uri, story)


def test_too_many_lost_races_are_a_conflict(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        hasty = [CommandHandler(client, CODEC, bounds=Bounds(patience=0.0)) for _ in range(8)]
        sent = [one.handle(decider, count(tally), request()) for one in hasty]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        lost = [answer for answer in answers if isinstance(answer, ConcurrencyConflict)]
        counted = [answer for answer in answers if isinstance(answer, Outcome)]
        assert len(lost) + len(counted) == 8
        assert {(conflict.stream, conflict.attempts) for conflict in lost} == {(f"tally-{tally}", 1)}
        assert await version_of(client, f"tally-{tally}") == len(counted)

    tell(eventstore_uri, story)


def test_races_lost_until_time_is_up_are_a_conflict_too(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=1_000_000)
        with operating(eventstore_uri) as rival:
            beaten: list[int] = []

            def decide(command: TallyCommand, state: Tally) -> list[TallyEvent]:
                events = decider.decide(command, state)
                rival.append(f"tally-{tally}", CODEC.encode(events[0], request().metadata(events[0])))
                beaten.append(len(beaten))
                return events

            patient = CommandHandler(client, CODEC, bounds=Bounds(patience=0.5))
            with pytest.raises(ConcurrencyConflict) as conflict:
                await patient.handle(replace(decider, decide=decide), count(tally), request())
        assert conflict.value.attempts in {len(beaten) - 1, len(beaten)}  # time may end between the two

    tell(eventstore_uri, story)
