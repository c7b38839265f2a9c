"""A store that is away, silent or cut off in the middle costs time, never an effect or an answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import uuid4

import pytest

from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import StoreUnavailable
from tests.infrastructure.commands.stories import until_version, version_of
from tests.infrastructure.commands.tally import CODEC, Count, OpenTally, connected, decider, request
from tests.infrastructure.eventstore.appends import closed_port
from tests.infrastructure.eventstore.proxy import Line, line_to

Story = Callable[[CommandClient, CommandHandler, Line, str], Awaitable[None]]


def tell(uri: str, story: Story) -> None:
    """Runs a story with a client straight to the store, a handler behind a line, and a tally that is open."""

    async def run() -> None:
        async with connected(uri) as direct, line_to(uri) as (line, through), connected(through) as client:
            tally = str(uuid4())
            opening = OpenTally(tally_id=tally, limit=Decimal(10))
            await CommandHandler(direct, CODEC).handle(decider, opening, request())
            await story(direct, CommandHandler(client, CODEC), line, tally)

    asyncio.run(run())


def test_an_append_whose_answer_was_lost_is_found_and_answered(eventstore_uri: str) -> None:
    async def story(direct: CommandClient, handler: CommandHandler, line: Line, tally: str) -> None:
        asked = request()
        line.mute_at = b"Counted"
        sent = asyncio.create_task(handler.handle(decider, Count(tally_id=tally, by=Decimal(10)), asked))
        await until_version(direct, f"tally-{tally}", 2)
        line.restore()
        answer = await sent
        assert (len(answer.events), answer.version) == (2, 2)
        assert not answer.repeated
        again = await CommandHandler(direct, CODEC).handle(decider, Count(tally_id=tally, by=Decimal(10)), asked)
        assert (again.events, again.version, again.position) == (answer.events, answer.version, answer.position)
        assert await version_of(direct, f"tally-{tally}") == 2

    tell(eventstore_uri, story)


def test_an_append_without_an_answer_in_time_is_looked_for(eventstore_uri: str) -> None:
    async def story(direct: CommandClient, handler: CommandHandler, line: Line, tally: str) -> None:
        line.mute_at = b"Counted"
        sent = asyncio.create_task(handler.handle(decider, Count(tally_id=tally, by=Decimal(10)), request()))
        await asyncio.wait({sent}, timeout=2.6)  # longer than a call may take
        line.restore()
        answer = await sent
        assert (len(answer.events), answer.version, answer.repeated) == (2, 2, False)
        assert await version_of(direct, f"tally-{tally}") == 2

    tell(eventstore_uri, story)


def test_an_append_that_never_arrived_is_sent_again_and_happens_once(eventstore_uri: str) -> None:
    async def story(direct: CommandClient, handler: CommandHandler, line: Line, tally: str) -> None:
        line.cut_at = b"Counted"
        answer = await handler.handle(decider, Count(tally_id=tally, by=Decimal(10)), request())
        assert (len(answer.events), answer.version) == (2, 2)
        assert line.cuts == 1
        assert await version_of(direct, f"tally-{tally}") == 2

    tell(eventstore_uri, story)


def test_a_store_that_stays_silent_is_reported_within_seconds(eventstore_uri: str) -> None:
    async def story(direct: CommandClient, handler: CommandHandler, line: Line, tally: str) -> None:
        command = Count(tally_id=tally, by=Decimal(1))
        await handler.handle(decider, command, request())
        line.mute()
        began = time.monotonic()
        with pytest.raises(StoreUnavailable) as refusal:
            await handler.handle(decider, command, request())
        assert time.monotonic() - began < 8.0
        assert refusal.value.address == line.address
        assert "no answer within" in refusal.value.reason

    tell(eventstore_uri, story)


def test_the_handler_recovers_by_itself_when_the_store_is_back(eventstore_uri: str) -> None:
    async def story(direct: CommandClient, handler: CommandHandler, line: Line, tally: str) -> None:
        command = Count(tally_id=tally, by=Decimal(1))
        line.refuse()
        with pytest.raises(StoreUnavailable):
            await handler.handle(decider, command, request())
        line.restore()
        assert isinstance(await handler.handle(decider, command, request()), Outcome)

    tell(eventstore_uri, story)


def test_cancelling_a_caller_cancels_it(eventstore_uri: str) -> None:
    async def story(direct: CommandClient, handler: CommandHandler, line: Line, tally: str) -> None:
        line.mute()
        sent = asyncio.create_task(handler.handle(decider, Count(tally_id=tally, by=Decimal(1)), request()))
        await line.heard()
        sent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(sent, 1.0)

    tell(eventstore_uri, story)


def test_a_port_where_nobody_listens_is_named() -> None:
    async def run() -> None:
        address = f"127.0.0.1:{closed_port()}"
        async with connected(f"esdb://{address}?tls=false") as client:
            opening = OpenTally(tally_id=str(uuid4()), limit=Decimal(10))
            with pytest.raises(StoreUnavailable) as refusal:
                await CommandHandler(client, CODEC).handle(decider, opening, request())
        assert refusal.value.address == address
        assert "refused" in refusal.value.reason.lower()

    asyncio.run(run())


def test_a_node_of_a_cluster_that_comes_back_is_found_again_under_load(eventstore_uri: str) -> None:
    async def run() -> None:
        async with line_to(eventstore_uri) as (line, _):
            uri = f"esdb://127.0.0.1:{closed_port()},{line.address}?tls=false&MaxDiscoverAttempts=2&GossipTimeout=1"
            async with connected(uri) as client:
                handler = CommandHandler(client, CODEC, bounds=Bounds(patience=10.0))

                versions: list[int] = []

                async def open_tallies() -> None:
                    for _ in range(10):
                        opening = OpenTally(tally_id=str(uuid4()), limit=Decimal(1))
                        versions.append((await handler.handle(decider, opening, request())).version)

                opening = [asyncio.create_task(open_tallies()) for _ in range(8)]
                await line.heard()
                line.refuse()
                await line.refused()
                line.restore()
                await asyncio.gather(*opening)
                assert versions == [0] * 80

    asyncio.run(run())
