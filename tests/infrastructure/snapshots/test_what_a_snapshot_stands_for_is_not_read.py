"""A stream whose early events this build can't read is loaded from a snapshot that stands for them."""

from decimal import Decimal

from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from tests.infrastructure.commands.stories import count, facts, tell
from tests.infrastructure.commands.tally import CODEC, Counted, LimitMet, OpenTally, decider, request
from tests.infrastructure.snapshots.tally_snapshots import RULE


def test_an_early_event_that_this_build_can_not_read_is_passed_over(eventstore_uri: str) -> None:
    async def story(client: CommandClient, handler: CommandHandler, tally: str) -> None:
        taking = CommandHandler(client, CODEC, snapshots=[RULE])
        await taking.handle(decider, OpenTally(tally_id=tally, limit=Decimal(100)), request())
        for _ in range(12):
            await taking.handle(decider, count(tally), request())
        await taking.close()
        without_openings = EventCodec((Counted, LimitMet))
        later = CommandHandler(client, without_openings, snapshots=[RULE])
        assert facts(await later.handle(decider, count(tally), request())) == [(13, Counted(by=Decimal(1)))]

    tell(eventstore_uri, story)
