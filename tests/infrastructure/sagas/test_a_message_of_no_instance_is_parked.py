"""A message that says of no instance that it concerns it is parked in its group; the others go on."""

import asyncio
from uuid import uuid4

import structlog

from infrastructure.eventstore.parked_stream import Parked, ParkedMessage, parked_messages, parked_stream
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.failures import HANDLED, after_failure
from infrastructure.subscriptions.policy import Park
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.sagas.consumers import consuming, operated, parked, until_done
from tests.infrastructure.sagas.errand import Errands, new_tag
from tests.infrastructure.sagas.shelf import Stocked, Taken


def shown(operator: Operator, errands: Errands) -> list[ParkedMessage]:
    """The first message that was parked, as an operator is shown it."""
    return list(parked_messages(operator.reader, parked_stream(f"$all::{errands.group}"), Parked(0, 0, None)))


def test_a_message_that_can_not_be_read_is_parked(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, 1)
            damaged = NewRecord(errands.saga.reacts_to[0].stored_name, b"{}", b"{}")
            stream = f"errandrequest-{uuid4()}"
            appended = await Streams(client, errands.codec).append(stream, -1, [damaged])
            good = await errands.ask(client, shelves)
            options = ConsumerOptions(policy=lambda error, failures: Park(type(error).__name__))
            with structlog.testing.capture_logs() as captured:
                async with consuming(eventstore_uri, errands, options):
                    await until_done(client, good, 2)
                    await parked(eventstore_uri, errands, 1)
            told = await errands.story(client, f"shelf-{shelves[0]}")
            assert told == [Stocked(number=1), Taken(errand_id=good.event.errand_id)]
            [message] = await operated(eventstore_uri, lambda operator: shown(operator, errands))
            assert (message.by, message.reason) == ("consumer", "UnreadableEvent")
            assert (message.stream, message.version) == (stream, 0)
        [line] = [line for line in captured if line["event"] == "saga_message_parked"]
        assert (line["stream"], line["version"], line["position"]) == (stream, 0, appended.position)

    asyncio.run(run())


def test_a_message_in_a_stream_without_a_valid_name_is_parked(eventstore_uri: str) -> None:
    """Nobody knows whose saga it concerns; the others go on."""

    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, 1)
            good = await errands.ask(client, shelves)
            nameless = errands.codec.encode(good.event, good.metadata)
            await Streams(client, errands.codec).append(f"default.errandrequest-{uuid4()}", -1, [nameless])
            options = ConsumerOptions(policy=lambda error, failures: after_failure(error, HANDLED))
            async with consuming(eventstore_uri, errands, options):
                await until_done(client, good, 2)
                await parked(eventstore_uri, errands, 1)
            told = await errands.story(client, f"shelf-{shelves[0]}")
            assert told == [Stocked(number=1), Taken(errand_id=good.event.errand_id)]

    asyncio.run(run())
