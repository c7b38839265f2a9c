"""Messages of a saga that an earlier build parked: delivered again, they are handled as any other, once."""

import asyncio
from uuid import uuid4

from domain.engine_events import SagaMessageParked
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.deliveries import ConsumerOptions
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.sagas.consumers import consuming, operated, parked, until_done
from tests.infrastructure.sagas.errand import Errands, new_tag, request
from tests.infrastructure.sagas.shelf import Stocked, Taken

UNSWEPT = ConsumerOptions(settling=300.0)  # so that nothing but the replay wakes the saga


async def note_parked(client: CommandClient, errands: Errands, errand_id: str) -> None:
    """As the engine noted it then."""
    note = SagaMessageParked(stream="errandrequest", version=0, reason="a refusal")
    record = errands.codec.encode(note, request(uuid4()).metadata(note))
    await Streams(client, errands.codec).append(errands.stream(errand_id), -1, [record])


def test_it_is_handled_once_though_its_stream_says_that_it_was_parked(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())

        def park(operator: Operator) -> None:
            operator.create_group(errands.group, errands.pattern)
            with operator.client.read_subscription_to_all(errands.group) as consumer:
                consumer.nack(next(consumer), "park")

        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, 1)
            message = await errands.ask(client, shelves)
            await operated(eventstore_uri, park)
            await parked(eventstore_uri, errands, 1)
            await note_parked(client, errands, message.event.errand_id)
            async with consuming(eventstore_uri, errands, UNSWEPT):
                for _ in range(2):  # the second time nothing is parked
                    await operated(eventstore_uri, lambda operator: operator.replay_parked(errands.group))
                    await until_done(client, message, 2)
                await parked(eventstore_uri, errands, 0)
            told = await errands.story(client, f"shelf-{shelves[0]}")
            assert told == [Stocked(number=1), Taken(errand_id=message.event.errand_id)]

    asyncio.run(run())
