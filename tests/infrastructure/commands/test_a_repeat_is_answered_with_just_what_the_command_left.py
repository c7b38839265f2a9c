"""A repeat is answered with all that its command left and nothing else, also where a load or a stream was cut."""

from decimal import Decimal

import pytest

from domain.errors import Rejected
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.loader import AggregateLoader
from infrastructure.commands.request import Request
from infrastructure.commands.search import CommandSearch
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.snapshots.rule import SnapshotRule
from tests.infrastructure.commands.stories import count, facts, opened, tell
from tests.infrastructure.commands.tally import CODEC, Counted, LimitMet, OpenTally, Tally, decider, request
from tests.infrastructure.eventstore.operator import operate

ONE = Counted(by=Decimal(1))
RULE = SnapshotRule("tally", (Tally,), every=10)


async def filled(handler: CommandHandler, stream: str, number: int) -> list[Request]:
    """So many commands, each of which has left one event behind the first."""
    requests = [request() for _ in range(number)]
    for first in range(0, number, PAGE):
        records = [CODEC.encode(ONE, each.metadata(ONE)) for each in requests[first : first + PAGE]]
        await handler.streams.append(stream, first, records)
    return requests


def test_it_has_the_events_behind_the_page_at_which_a_load_was_cut_short(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        stream = f"tally-{tally}"
        await opened(handler, tally, limit=PAGE)
        await filled(handler, stream, PAGE - 2)
        last = request()
        answer = await CommandHandler(client, CODEC).handle(decider, count(tally, 2), last)
        assert facts(answer) == [(PAGE - 1, Counted(by=Decimal(2))), (PAGE, LimitMet())]
        streams, cut_short = Streams(client, CODEC), Aggregate(stream, decider.initial, decider.evolve)
        cut_short.take(await streams.page(stream, 0) or [])
        loader = AggregateLoader(streams, CommandSearch(client, CODEC, CommandCounts(), 8), (), CommandCounts())
        found = await loader.records_of(last.command_id, cut_short, is_loaded=False)
        assert [(each.version, each.event) for each in found] == facts(answer)

    tell(eventstore_uri, story)


def test_it_has_no_event_twice_where_the_stream_was_truncated(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        stream = f"tally-{tally}"
        await opened(handler, tally, limit=10_000)
        requests = await filled(handler, stream, 1_200)
        await operate(eventstore_uri, lambda operator: operator.set_metadata(stream, {"$tb": 600}))
        repeat = await CommandHandler(client, CODEC).handle(decider, count(tally), requests[699])
        assert (facts(repeat), repeat.repeated) == ([(700, ONE)], True)

    tell(eventstore_uri, story)


def test_what_was_truncated_away_is_decided_anew_also_where_a_snapshot_knows_it(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        opening, first = OpenTally(tally_id=tally, limit=Decimal(100)), request()
        taking = CommandHandler(client, CODEC, snapshots=[RULE])
        created = await taking.handle(decider, opening, first)
        for _ in range(12):
            await taking.handle(decider, count(tally), request())
        await taking.close()
        await operate(eventstore_uri, lambda operator: operator.set_metadata(created.stream, {"$tb": 5}))
        with pytest.raises(Rejected) as refusal:
            await CommandHandler(client, CODEC, snapshots=[RULE]).handle(decider, opening, first)
        assert refusal.value.rule == "tally-exists"

    tell(eventstore_uri, story)
