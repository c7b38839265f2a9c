"""Remembers, in the event store itself, up to where a saga's messages are known to be settled."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_OID, uuid4, uuid5

from esdbclient import AsyncEventStoreDBClient, NewEvent, RecordedEvent, StreamState
from esdbclient.exceptions import NotFound, WrongCurrentVersion

from infrastructure.eventstore.client import complete
from infrastructure.eventstore.errors import RaceLost, UnreadableEvent
from infrastructure.eventstore.streams import stream_name
from infrastructure.sagas.calls import called

_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Every message up to `position` (None: the beginning of the log) is settled, but for those at `unsettled`.

    `version` is that of the event that says so.
    """

    position: int | None = None
    unsettled: tuple[int, ...] = ()
    version: int | StreamState = StreamState.NO_STREAM


class Bookmark:
    """One saga's mark, the only visible event of a stream. Another filter has another mark, and begins anew."""

    def __init__(self, client: AsyncEventStoreDBClient, category: str, pattern: str) -> None:
        self._client: Final = client
        self.stream: Final = stream_name(f"{category}_sweep", str(uuid5(NAMESPACE_OID, pattern)))

    async def read(self) -> Mark:
        """The mark as it stands. Raises StoreUnavailable, UnreadableEvent."""
        try:
            async with called(self._client, seconds=_SECONDS):
                response = await self._client.read_stream(self.stream, backwards=True, limit=1, timeout=_SECONDS)
                events = await complete(self._client, response)
        except NotFound:
            return Mark()
        return _mark(events[0]) if events else Mark(version=StreamState.EXISTS)

    async def move(self, before: Mark, position: int | None, unsettled: tuple[int, ...]) -> Mark:
        """Writes the mark anew. Raises RaceLost where somebody did since it was read, and StoreUnavailable."""
        data = json.dumps({"position": position, "unsettled": unsettled}).encode()
        event = NewEvent(type="SagaSwept", data=data, id=uuid4())
        try:
            async with called(self._client, seconds=_SECONDS):
                if before.version is StreamState.NO_STREAM:
                    await self._client.set_stream_metadata(self.stream, metadata={"$maxCount": 1}, timeout=_SECONDS)
                await self._client.append_to_stream(
                    self.stream, current_version=before.version, events=event, timeout=_SECONDS
                )
        except WrongCurrentVersion as error:
            raise RaceLost(self.stream, None) from error
        version = before.version + 1 if isinstance(before.version, int) else await self._version()
        return Mark(position, unsettled, version)

    async def _version(self) -> int | StreamState:
        return (await self.read()).version


def _mark(recorded: RecordedEvent) -> Mark:
    try:
        stored = json.loads(recorded.data)
        return Mark(stored["position"], tuple(stored["unsettled"]), recorded.stream_position)
    except (KeyError, TypeError, ValueError) as error:
        stream, version = recorded.stream_name, recorded.stream_position
        raise UnreadableEvent(stream, version, recorded.commit_position or 0, "it holds no mark") from error
