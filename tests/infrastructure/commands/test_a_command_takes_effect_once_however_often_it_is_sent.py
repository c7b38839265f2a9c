"""A command takes effect once, however often it is sent, and is answered the same each time."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from domain.errors import Rejected
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import CommandIdReused
from tests.infrastructure.commands.stories import count, facts, opened, tell, version_of
from tests.infrastructure.commands.tally import (
    Counted,
    LimitMet,
    OpenTally,
    decider,
    request,
)


def test_a_repeat_is_answered_from_the_log_also_after_later_commands(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=10)
        first = request()
        answer = await handler.handle(decider, count(tally, 3), first)
        for _ in range(3):
            await handler.handle(decider, count(tally, 2), request())
        repeat = await handler.handle(decider, count(tally, 3), first)
        assert repeat == replace(answer, repeated=True)
        assert await version_of(client, f"tally-{tally}") == 4

    tell(eventstore_uri, story)


def test_a_repeat_is_answered_before_any_rule_or_version_is_asked(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        first = request(if_version=0)
        await opened(handler, tally, limit=3)
        answer = await handler.handle(decider, count(tally, 3), first)
        assert await handler.handle(decider, count(tally, 3), first) == replace(answer, repeated=True)

    tell(eventstore_uri, story)


def test_a_command_id_can_not_stand_for_two_requests(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        command_id = uuid4()
        await handler.handle(decider, count(tally, 3), request(command_id, digest="three"))
        with pytest.raises(CommandIdReused) as refusal:
            await handler.handle(decider, count(tally, 4), request(command_id, digest="four"))
        assert (refusal.value.stream, refusal.value.command_id) == (f"tally-{tally}", command_id)

    tell(eventstore_uri, story)


def test_a_command_id_belongs_to_one_stream(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        shared = request()
        for name in (tally, str(uuid4())):
            outcome = await handler.handle(decider, OpenTally(tally_id=name, limit=Decimal(1)), shared)
            assert (outcome.version, outcome.repeated) == (0, False)

    tell(eventstore_uri, story)


def test_a_refused_command_leaves_nothing_and_may_come_again(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=5)
        early = request()
        with pytest.raises(Rejected) as refusal:
            await handler.handle(decider, count(tally, 6), early)
        assert refusal.value.rule == "limit-exceeded"
        assert facts(await handler.handle(decider, count(tally, 1), early)) == [(1, Counted(by=Decimal(1)))]

    tell(eventstore_uri, story)


def test_one_command_sent_many_times_at_once_has_one_effect_and_one_answer(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally, limit=5)
        same = request()
        answers = await asyncio.gather(*(handler.handle(decider, count(tally, 5), same) for _ in range(12)))
        assert {replace(answer, repeated=False) for answer in answers} == {replace(answers[0], repeated=False)}
        assert facts(answers[0]) == [(1, Counted(by=Decimal(5))), (2, LimitMet())]
        assert await version_of(client, f"tally-{tally}") == 2

    tell(eventstore_uri, story)


def test_of_two_requests_under_one_command_id_at_once_one_is_refused(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        command_id = uuid4()
        sent = [handler.handle(decider, count(tally), request(command_id, digest=digest)) for digest in "ab"]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["CommandIdReused", "Outcome"]

    tell(eventstore_uri, story)
