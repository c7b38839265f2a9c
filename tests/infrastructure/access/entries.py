"""Entries of the access log, of a tenant of the test's own, and the log that takes them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from infrastructure.access.access_entry import AccessRecorded
from infrastructure.access.access_log import AccessLog
from infrastructure.access.access_reader import Wanted, access_entries
from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import operating

NOON: Final = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
DAY: Final = timedelta(days=1)
ALL: Final = Wanted(NOON - DAY, NOON + DAY)


def entry(number: int = 0, at: datetime = NOON, **members: Any) -> AccessRecorded:
    """An auditor's look at an order of this number."""
    told: dict[str, Any] = {
        "entry_id": uuid4(),
        "at": at,
        "subject": "ada",
        "roles": ("auditor",),
        "action": "read-history",
        "resource": f"order-{number:04x}",
        "outcome": "allowed",
        "correlation_id": UUID(int=number),
        "source": "http",
    }
    return AccessRecorded(**{**told, **members})


def new_tenant() -> str:
    return f"t{uuid4().hex[:16]}"


class CountedStreams(Streams):
    """Counts how many records each append brings."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.sizes: list[int] = []

    async def append(self, stream: str, version: int, records: Sequence[NewRecord]) -> Appended:
        self.sizes.append(len(records))
        return await super().append(stream, version, records)


@asynccontextmanager
async def log_at(uri: str, *, patience: float = 2.5, **bounds: Any) -> AsyncIterator[tuple[CountedStreams, AccessLog]]:
    """A log of the store at `uri`, and the streams that it appends to."""
    async with connected(uri) as client:
        streams = CountedStreams(client, EventCodec(()), patience=patience)
        log = AccessLog(streams, **bounds)
        try:
            yield streams, log
        finally:
            await log.close()
            await streams.close()


def stored(uri: str, tenant: str, wanted: Wanted = ALL) -> list[AccessRecorded | EventStoreError]:
    """What a reader finds."""
    with operating(uri) as operator:
        return list(access_entries(operator.reader, tenant, wanted))
