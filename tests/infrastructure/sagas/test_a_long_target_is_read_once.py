"""What commands left in a stream is found by its causes, also in a long one, of which it is kept where all stands."""

import asyncio
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid4

from domain.message import Event
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.sagas.target_effects import TargetEffects
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import request
from tests.infrastructure.sagas.shelf import PutBack, Taken, shelf

CODEC: Final = EventCodec(shelf.events)


def caused_by(cause: UUID, event: Event) -> NewRecord:
    """What a command left that this event caused."""
    return CODEC.encode(event, replace(request(), causation_id=cause).metadata(event))


class CountingStreams(Streams):
    """Remembers how many records were read."""

    read = 0

    async def records(self, *told: object, **options: object) -> list[Record] | None:
        found = await super().records(*told, **options)  # type: ignore[arg-type]  # as they came
        self.read += len(found or [])
        return found


async def left(effects: TargetEffects, stream: str, *causes: UUID) -> list[tuple[str, ...]]:
    answers = await effects.left_in(stream, 0, frozenset(str(cause).encode() for cause in causes))
    return [tuple(event.stored_name for event in answer.events) for answer in answers]


def test_of_a_long_stream_only_what_is_asked_for_is_read_again(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            stream, causes = f"shelf-{uuid4()}", [uuid4() for _ in range(4 * PAGE)]
            streams = CountingStreams(client, CODEC, patience=30.0)
            taken = Taken(errand_id="1")
            version = await _appended(streams, stream, -1, [caused_by(cause, taken) for cause in causes])
            effects = TargetEffects(streams, CODEC)
            assert await left(effects, stream, causes[3]) == [("ShelfTaken",)]
            assert streams.read == 4 * PAGE
            await _appended(streams, stream, version, [caused_by(causes[7], PutBack(errand_id="1"))])
            told = await left(effects, stream, causes[7], causes[2 * PAGE], uuid4())
            assert sorted(told) == [("ShelfPutBack",), ("ShelfTaken",), ("ShelfTaken",)]
            assert streams.read <= 4 * PAGE + 1 + 3 * PAGE
            await streams.close()

    asyncio.run(run())


async def _appended(streams: Streams, stream: str, version: int, records: list[NewRecord]) -> int:
    for first in range(0, len(records), PAGE):
        appended = await streams.append(stream, version, records[first : first + PAGE])
        version = appended.version
    return version


def test_of_a_short_one_it_is_the_same(eventstore_uri: str) -> None:
    async def run(client: CommandClient) -> None:
        stream, first, second = f"shelf-{uuid4()}", uuid4(), uuid4()
        streams = Streams(client, CODEC, patience=30.0)
        records = [caused_by(first, Taken(errand_id="1")), caused_by(second, PutBack(errand_id="1"))]
        await _appended(streams, stream, -1, records)
        effects = TargetEffects(streams, CODEC)
        assert await left(effects, stream, second) == [("ShelfPutBack",)]
        assert await left(effects, stream, uuid4()) == []
        await streams.close()

    async def connect() -> None:
        async with connected(eventstore_uri) as client:
            await run(client)

    asyncio.run(connect())
