"""Whoever may act on what is their own alone is told of what is another's as of what is not there."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.errors import DomainError, Rejected, Unknown
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Request
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import CommandIdReused
from infrastructure.snapshots.rule import SnapshotRule
from tests.infrastructure.commands.stories import count, opened, tell, version_of
from tests.infrastructure.commands.tally import CODEC, OpenTally, Tally, TallyCommand, decider, request

ADAS = replace(decider, owner=lambda tally: None if tally.limit is None else "ada")
RULE = SnapshotRule("tally", (Tally,), every=10)


def of(subject: str, command: Request | None = None) -> Request:
    """A request of somebody who may act on their own things only."""
    return replace(command or request(), actor=subject, owned_by=subject)


async def refusal(handler: CommandHandler, command: TallyCommand, asked: Request) -> tuple[type[DomainError], str, str]:
    with pytest.raises(DomainError) as refused:
        await handler.handle(ADAS, command, asked)
    return type(refused.value), refused.value.rule, refused.value.detail


def test_the_owner_acts_on_it_and_a_stranger_is_told_that_it_is_not_there(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        stream = (await opened(handler, tally)).stream
        assert (await handler.handle(ADAS, count(tally), of("ada"))).version == 1
        for warm in (handler, CommandHandler(client, CODEC)):
            unknown = (Unknown, "unknown-tally", f"There is no tally {tally}.")
            assert await refusal(warm, count(tally), of("bob")) == unknown
            assert await refusal(warm, count(tally, by=1_000), of("bob")) == unknown
            assert await refusal(warm, count(tally), of("bob", request(if_version=7))) == unknown
        assert await version_of(client, stream) == 1

    tell(eventstore_uri, story)


def test_a_stranger_gets_no_repeat_of_the_owner_s_command(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        opening, first = OpenTally(tally_id=tally, limit=Decimal(100)), request()
        await handler.handle(ADAS, opening, of("ada", first))
        counted = await handler.handle(ADAS, count(tally), of("ada", second := request()))
        assert (await refusal(handler, count(tally), of("bob", second)))[:2] == (Unknown, "unknown-tally")
        assert (await refusal(handler, opening, of("bob")))[:2] == (Rejected, "tally-exists")
        assert await handler.handle(ADAS, count(tally), of("ada", second)) == replace(counted, repeated=True)

    tell(eventstore_uri, story)


def test_a_snapshot_knows_whose_it_is(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        taking = CommandHandler(client, CODEC, snapshots=[RULE])
        await opened(taking, tally)
        for _ in range(12):
            await taking.handle(ADAS, count(tally), of("ada"))
        await taking.close()
        cold = CommandHandler(client, CODEC, snapshots=[RULE])
        assert (await refusal(cold, count(tally), of("bob")))[:2] == (Unknown, "unknown-tally")
        assert (await cold.handle(ADAS, count(tally), of("ada"))).version == 13

    tell(eventstore_uri, story)


def test_what_an_earlier_release_stored_is_the_actor_s_or_nobody_s(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        await opened(handler, tally)
        of_nobody, of_carol = request(), replace(request(), actor="carol")
        left = [await handler.handle(decider, count(tally), each) for each in (of_nobody, of_carol)]
        former = (of_nobody.command_id, of_carol.command_id)
        bob, carol = (replace(request(), actor=each, former_ids=former[::-1]) for each in ("bob", "carol"))
        assert await handler.handle(decider, count(tally), bob) == replace(left[0], repeated=True)
        assert await handler.handle(decider, count(tally), carol) == replace(left[1], repeated=True)
        with pytest.raises(CommandIdReused):
            await handler.handle(decider, count(tally), replace(bob, digest="another"))

    tell(eventstore_uri, story)
