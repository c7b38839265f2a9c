"""The log of the whole store, as it is asked in an event loop: where it ends, and its records page by page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from esdbclient.exceptions import UnknownError

from infrastructure.eventstore.calls import Calls
from infrastructure.eventstore.client import CommandClient, address_of, raise_if_cancelled, reason_of
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.record import Record

_SECONDS: Final = 5.0
_SCAN_SECONDS: Final = 120.0  # for a page: the server reads the log until the page is full
_PAGE: Final = 500
_CALLS_AT_ONCE: Final = 32  # of the 100 that fit on the client's connection


class Log:
    """The log through one client. A call ends within its seconds; at most 32 are made together.

    All of it raises StoreUnavailable. The client asks the leader: a follower of a cluster may not have the newest yet.
    """

    def __init__(self, client: CommandClient) -> None:
        self.address: Final = address_of(client)
        self._calls: Final = Calls(client, _CALLS_AT_ONCE)

    async def end(self, seconds: float = _SECONDS) -> int:
        """The position of the last record, the system's own included; 0 where there is none."""
        async with self._calls.call(seconds=seconds) as client:
            position: int = await client.get_commit_position(filter_exclude=(), timeout=seconds)
            raise_if_cancelled()  # a call that is cut short says 0, as if nothing were there
        return position

    async def first_from(self, position: int) -> Record | None:
        """The first record of any stream from that position on.

        None where there is none, and where no record ever lay there: a store refuses to read from such a position.
        """
        return next(iter(await self._from(position, _SECONDS) or ()), None)

    async def last(self, seconds: float = _SECONDS) -> Record | None:
        """The last record, the system's own included; None where there is none."""
        async with self._calls.call(seconds=seconds) as client:
            response = await client.read_all(backwards=True, filter_exclude=(), limit=1, timeout=seconds)
            return next(iter(await self._calls.complete(response)), None)

    async def holds(self, position: int, event: str, seconds: float = _SECONDS) -> bool:
        """Whether the record at that position is the one whose id begins so, unless it has been removed since.

        Where another record stands there, or none ever lay there, or the log does not go that far, it is not.
        """
        found = await self._from(position, seconds)
        if found is None:
            return False
        if not found:
            return position <= await self.end(seconds)
        return found[0].position != position or str(found[0].id).startswith(event)

    async def of_types(self, pattern: str, first: int | None, limit: int, seconds: float = _SECONDS) -> list[Record]:
        """The records whose types match, from position `first` (None: the beginning) on, itself included."""
        return await self._page({"filter_include": (pattern,)}, first, limit, seconds)

    async def last_before(self, pattern: str, at: datetime, page_size: int = _PAGE) -> Record | None:
        """The last record whose type matches and that was written before that time by the server's clock.

        Read backwards, page by page. None where there is none.
        """
        position: int | None = None
        filters = {"filter_include": (pattern,), "backwards": True}
        while page := await self._page(filters, position, page_size, _SCAN_SECONDS):
            found = next((record for record in page if record.at is not None and record.at < at), None)
            if found is not None:
                return found
            position = page[-1].position
        return None

    async def first_after(self, pattern: str, position: int | None, seconds: float = _SECONDS) -> int | None:
        """Where the streams that match have their first record after that position (None: at all), None where nowhere.

        Two records are enough to tell: the first may be the one at the position itself.
        """
        filters = {"filter_include": (pattern,), "filter_by_stream_name": True}
        records = _after(await self._page(filters, position, 2, seconds), position)
        return (records[0].position or 0) if records else None

    async def following(
        self, pattern: str, position: int | None, limit: int, seconds: float
    ) -> tuple[list[Record], bool]:
        """The records after that position (None: all) of the streams that match, and whether these are known to be all.

        At most `limit`, and only those that came in time: what there is of an answer that was cut off is right, too.
        """
        records: list[Record] = []
        try:
            async with self._calls.call(seconds=seconds) as client:
                response = await client.read_all(
                    commit_position=position,
                    limit=limit + 1,
                    timeout=seconds,
                    filter_include=(pattern,),
                    filter_by_stream_name=True,
                )
                await self._calls.complete(response, records)
        except StoreUnavailable:
            if not records:
                raise
            return _after(records, position), False
        return _after(records, position)[:limit], len(records) <= limit

    async def of_stream(self, stream: str, first: int, limit: int, seconds: float = _SECONDS) -> list[Record] | None:
        """The visible records of a stream from version `first` on; None where there is none. Raises StreamGone."""
        return await self._calls.stream(stream, first, limit, seconds=seconds)

    async def _from(self, position: int, seconds: float) -> list[Record] | None:
        """The first record from that position on; None where the store refuses to read from there."""
        try:
            async with self._calls.call(UnknownError, seconds=seconds) as client:
                response = await client.read_all(commit_position=position, filter_exclude=(), limit=1, timeout=seconds)
                return await self._calls.complete(response)
        except UnknownError as error:
            if "ReadAllResult" in str(error):
                return None
            raise StoreUnavailable(self.address, reason_of(error)) from error

    async def _page(self, filters: dict[str, Any], first: int | None, limit: int, seconds: float) -> list[Record]:
        async with self._calls.call(seconds=seconds) as client:
            response = await client.read_all(commit_position=first, limit=limit, timeout=seconds, **filters)
            return await self._calls.complete(response)


def _after(records: Sequence[Record], position: int | None) -> list[Record]:
    return [record for record in records if position is None or (record.position or 0) > position]
