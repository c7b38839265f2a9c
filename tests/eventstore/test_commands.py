"""A command takes effect once, however often it is sent, and is answered the same each time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from esdbclient import AsyncEventStoreDBClient, StreamState

from domain.errors import Rejected, Unknown
from domain.message import Metadata
from infrastructure.eventstore.commands import CommandHandler, Outcome, event_id
from infrastructure.eventstore.errors import CommandIdReused, ConcurrencyConflict, StreamGone, VersionMismatch
from tests.eventstore.tally import (
    CODEC,
    CORRELATION,
    NOW,
    Count,
    Counted,
    CountUpTo,
    LimitMet,
    OpenTally,
    TallyOpened,
    connected,
    decider,
    request,
)

Story = Callable[[AsyncEventStoreDBClient, CommandHandler, str], Awaitable[None]]


def tell(uri: str, story: Story) -> None:
    """Runs a story with a handler and the id of a tally that nobody else uses."""

    async def run() -> None:
        async with connected(uri) as client:
            await story(client, CommandHandler(client, CODEC), str(uuid4()))

    asyncio.run(run())


async def opened(handler: CommandHandler, tally: str, limit: int = 100) -> Outcome:
    return await handler.handle(decider, OpenTally(tally_id=tally, limit=Decimal(limit)), request())


def count(tally: str, by: int = 1) -> Count:
    return Count(tally_id=tally, by=Decimal(by))


def facts(outcome: Outcome) -> list[tuple[int, object]]:
    return [(recorded.version, recorded.event) for recorded in outcome.events]


def test_a_command_appends_what_it_decides(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        created = await opened(handler, tally, limit=5)
        assert facts(created) == [(0, TallyOpened(limit=Decimal(5)))]
        counted = await handler.handle(decider, count(tally, 5), request())
        assert facts(counted) == [(1, Counted(by=Decimal(5))), (2, LimitMet())]
        assert (counted.stream, counted.version, counted.repeated) == (f"tally-{tally}", 2, False)
        assert counted.position == counted.events[-1].position
        assert created.position < counted.events[0].position <= counted.position

    tell(eventstore_uri, story)


def test_an_event_says_who_caused_it_and_why(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        command_id = uuid4()
        outcome = await handler.handle(
            decider, OpenTally(tally_id=tally, limit=Decimal(1)), request(command_id, digest="abc")
        )
        recorded = outcome.events[0]
        assert recorded.id == event_id(command_id, "abc", 0)
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


def test_a_repeat_is_answered_from_the_log_also_after_later_commands(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=10)
        first = request()
        answer = await handler.handle(decider, count(tally, 3), first)
        for _ in range(3):
            await handler.handle(decider, count(tally, 2), request())
        repeat = await handler.handle(decider, count(tally, 3), first)
        assert repeat == replace(answer, repeated=True)
        assert await client.get_current_version(f"tally-{tally}") == 4

    tell(eventstore_uri, story)


def test_a_repeat_is_answered_before_any_rule_or_version_is_asked(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        first = request(if_version=0)
        await opened(handler, tally, limit=3)
        answer = await handler.handle(decider, count(tally, 3), first)
        assert await handler.handle(decider, count(tally, 3), first) == replace(answer, repeated=True)

    tell(eventstore_uri, story)


def test_a_command_id_can_not_stand_for_two_requests(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        command_id = uuid4()
        await handler.handle(decider, count(tally, 3), request(command_id, digest="three"))
        with pytest.raises(CommandIdReused) as refusal:
            await handler.handle(decider, count(tally, 4), request(command_id, digest="four"))
        assert (refusal.value.stream, refusal.value.command_id) == (f"tally-{tally}", command_id)

    tell(eventstore_uri, story)


def test_a_command_id_belongs_to_one_stream(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        shared = request()
        for name in (tally, str(uuid4())):
            outcome = await handler.handle(decider, OpenTally(tally_id=name, limit=Decimal(1)), shared)
            assert (outcome.version, outcome.repeated) == (0, False)

    tell(eventstore_uri, story)


def test_a_command_that_changes_nothing_appends_nothing(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        counted = await handler.handle(decider, count(tally, 7), request())
        nothing = await handler.handle(decider, CountUpTo(tally_id=tally, number=Decimal(5)), request())
        assert nothing == Outcome(counted.stream, (), counted.version, counted.position, repeated=False)

    tell(eventstore_uri, story)


def test_nothing_decided_about_nothing_has_no_place_in_the_log(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        nothing = await handler.handle(decider, CountUpTo(tally_id=tally, number=Decimal(0)), request())
        assert nothing == Outcome(f"tally-{tally}", (), -1, 0, repeated=False)

    tell(eventstore_uri, story)


def test_a_refused_command_leaves_nothing_and_may_come_again(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=5)
        early = request()
        with pytest.raises(Rejected) as refusal:
            await handler.handle(decider, count(tally, 6), early)
        assert refusal.value.rule == "limit-exceeded"
        assert facts(await handler.handle(decider, count(tally, 1), early)) == [(1, Counted(by=Decimal(1)))]

    tell(eventstore_uri, story)


def test_what_does_not_exist_is_unknown_before_its_version_matters(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        with pytest.raises(Unknown):
            await handler.handle(decider, count(tally), request(if_version=3))

    tell(eventstore_uri, story)


@pytest.mark.parametrize("by", [1, 999], ids=["allowed", "against a rule"])
def test_another_version_than_the_expected_is_refused_before_any_rule(eventstore_uri: str, by: int) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        with pytest.raises(VersionMismatch) as refusal:
            await handler.handle(decider, count(tally, by), request(if_version=3))
        assert (refusal.value.expected, refusal.value.current) == (3, 0)

    tell(eventstore_uri, story)


def test_a_creation_matches_no_version(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        with pytest.raises(VersionMismatch) as refusal:
            await handler.handle(decider, OpenTally(tally_id=tally, limit=Decimal(1)), request(if_version=0))
        assert (refusal.value.expected, refusal.value.current) == (0, None)

    tell(eventstore_uri, story)


def test_the_expected_version_lets_exactly_one_of_many_through(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        sent = [handler.handle(decider, count(tally), request(if_version=0)) for _ in range(8)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["Outcome"] + ["VersionMismatch"] * 7

    tell(eventstore_uri, story)


def test_many_writers_on_one_stream_each_count_once(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=16)
        patient = CommandHandler(client, CODEC, attempts=40, patience=60)
        outcomes = await asyncio.gather(*(patient.handle(decider, count(tally), request()) for _ in range(16)))
        assert sorted(outcome.events[0].version for outcome in outcomes) == list(range(1, 17))
        with pytest.raises(Rejected):
            await handler.handle(decider, count(tally), request())

    tell(eventstore_uri, story)


def test_too_many_lost_races_are_a_conflict(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        hasty = CommandHandler(client, CODEC, attempts=1)
        sent = [hasty.handle(decider, count(tally), request()) for _ in range(8)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        lost = [answer for answer in answers if isinstance(answer, ConcurrencyConflict)]
        counted = [answer for answer in answers if isinstance(answer, Outcome)]
        assert len(lost) + len(counted) == 8
        assert {(conflict.stream, conflict.attempts) for conflict in lost} == {(f"tally-{tally}", 1)}
        assert await client.get_current_version(f"tally-{tally}") == len(counted)

    tell(eventstore_uri, story)


def test_one_command_sent_many_times_at_once_has_one_effect_and_one_answer(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=5)
        same = request()
        answers = await asyncio.gather(*(handler.handle(decider, count(tally, 5), same) for _ in range(12)))
        assert {replace(answer, repeated=False) for answer in answers} == {replace(answers[0], repeated=False)}
        assert facts(answers[0]) == [(1, Counted(by=Decimal(5))), (2, LimitMet())]
        assert await client.get_current_version(f"tally-{tally}") == 2

    tell(eventstore_uri, story)


def test_of_two_requests_under_one_command_id_at_once_one_is_refused(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        command_id = uuid4()
        sent = [handler.handle(decider, count(tally), request(command_id, digest=digest)) for digest in "ab"]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["CommandIdReused", "Outcome"]

    tell(eventstore_uri, story)


def test_a_stream_of_many_pages_is_read_to_its_end(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        created = await opened(handler, tally, limit=2000)
        again = created.events[0].metadata.command_id
        one = request().metadata(Counted(by=Decimal(1)))
        events = [CODEC.encode(Counted(by=Decimal(1)), uuid4(), one) for _ in range(1500)]
        await client.append_to_stream(created.stream, current_version=0, events=events, timeout=5.0)
        rest = await handler.handle(decider, CountUpTo(tally_id=tally, number=Decimal(2000)), request())
        assert facts(rest) == [(1501, Counted(by=Decimal(500))), (1502, LimitMet())]
        repeat = await handler.handle(decider, OpenTally(tally_id=tally, limit=Decimal(2000)), request(again))
        assert repeat == replace(created, repeated=True)

    tell(eventstore_uri, story)


def test_a_deleted_stream_begins_anew(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        await handler.handle(decider, count(tally), request())
        await client.delete_stream(f"tally-{tally}", current_version=StreamState.ANY)
        with pytest.raises(Unknown):
            await handler.handle(decider, count(tally), request())
        assert (await opened(handler, tally)).version == 2

    tell(eventstore_uri, story)


def test_a_repeat_of_what_was_deleted_since_is_a_conflict(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        created = await opened(handler, tally)
        await client.delete_stream(created.stream, current_version=StreamState.ANY)
        same = request(UUID(str(created.events[0].metadata.command_id)))
        with pytest.raises(ConcurrencyConflict):
            await handler.handle(decider, OpenTally(tally_id=tally, limit=Decimal(100)), same)

    tell(eventstore_uri, story)


def test_a_stream_that_was_truncated_is_decided_on_what_is_left(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        await handler.handle(decider, count(tally), request())
        await client.set_stream_metadata(f"tally-{tally}", metadata={"$tb": 1})
        with pytest.raises(Unknown):
            await handler.handle(decider, count(tally), request())
        assert facts(await opened(handler, tally)) == [(2, TallyOpened(limit=Decimal(100)))]

    tell(eventstore_uri, story)


def test_a_stream_that_was_truncated_as_a_whole_goes_on_at_its_version(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        for _ in range(2):
            await handler.handle(decider, count(tally), request())
        await client.set_stream_metadata(f"tally-{tally}", metadata={"$tb": 3})
        assert facts(await opened(handler, tally)) == [(3, TallyOpened(limit=Decimal(100)))]
        assert (await handler.handle(decider, count(tally), request())).version == 4

    tell(eventstore_uri, story)


def test_a_tombstoned_stream_is_gone(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        await client.tombstone_stream(f"tally-{tally}", current_version=StreamState.ANY)
        with pytest.raises(StreamGone):
            await handler.handle(decider, count(tally), request())

    tell(eventstore_uri, story)
