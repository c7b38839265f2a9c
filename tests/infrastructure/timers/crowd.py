"""Many patient errands that wait for a word, written as an earlier worker would have left them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from domain.engine_events import SagaDeadlinePassed, SagaDeadlineSet
from domain.message import Event
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.timers.timer_log import TimerLog
from infrastructure.timers.timer_watch import TimerWatch
from tests.infrastructure.sagas.errand import ErrandBegun, ThingFetched, request
from tests.infrastructure.sagas.patient_errand import NOON, PATIENCE, WORD, PatientErrands

DUE: Final = NOON + PATIENCE


class Crowd:
    """The errands of one test. Nothing is pending in any of them."""

    def __init__(self, client: CommandClient, errands: PatientErrands) -> None:
        self.client = client
        self.errands = errands
        self.streams = Streams(client, errands.codec)
        self._slots = asyncio.Semaphore(24)

    async def wait(self, *dues: datetime, tenant: str = "default", errand_id: str = "") -> list[str]:
        """An errand for each of these times at which it stops to wait; their streams."""
        return list(await asyncio.gather(*(self._begin(due, tenant, errand_id or str(uuid4())) for due in dues)))

    async def _begin(self, due: datetime, tenant: str, errand_id: str) -> str:
        stream = self.errands.stream(errand_id, tenant)
        begun = ErrandBegun(errand_id=errand_id, shelves=("a", "b"))
        async with self._slots:
            await self.write(stream, begun, ThingFetched(shelf_id="a"), SagaDeadlineSet(name=WORD, due=due))
        return stream

    async def write(self, stream: str, *events: Event, version: int = -1) -> None:
        envelope = request()
        records = [self.errands.codec.encode(event, envelope.metadata(event)) for event in events]
        await self.streams.append(stream, version, records)

    async def fired(self, streams: Sequence[str]) -> Counter[str]:
        """How often the deadline of each of these has passed, as the log tells."""
        found, position = Counter[str](), None
        while True:
            page = await Log(self.client).of_types(SagaDeadlinePassed.stored_name, position, 500)
            found.update(record.stream for record in page if record.position != position)
            if len(page) < 500:
                return Counter({stream: found[stream] for stream in streams})
            position = page[-1].position

    async def told(self, stream: str) -> list[Event]:
        """What its stream holds beyond what was written here."""
        return (await self.errands.story(self.client, stream))[3:]

    def coordinator(self) -> SagaCoordinator:
        """Of a worker that remembers nothing."""
        return self.errands.coordinator(self.client)

    def log(self, most: int = 100) -> TimerLog:
        return TimerLog(Log(self.client), self.errands.codec, self.errands.saga, most)

    def watch(self, source: Any, options: ConsumerOptions | None = None) -> TimerWatch:
        return TimerWatch(self.coordinator(), source, options or ConsumerOptions())
