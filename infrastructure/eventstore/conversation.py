"""Keeps up one call of appends and answers, and ends in time all that wait on it."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import Final, NamedTuple

from esdbclient import AsyncEventStoreDBClient
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp

from infrastructure.eventstore.append_call import AppendCall
from infrastructure.eventstore.client import CLOSED, address_of, bounded
from infrastructure.eventstore.errors import StoreUnavailable

_END_SECONDS: Final = 1.0


class _Waiting(NamedTuple):
    """A caller; `since` is a time of the event loop."""

    since: float
    answer: "asyncio.Future[BatchAppendResp]"


class Conversation:
    """Requests and answers on one call, which are matched by their correlation ids.

    The call is opened at once, on a new connection where the end of the previous one asks for that. It ends when the
    store or the client ends it, or with the first request that has no answer within `seconds`. Who waits then is told
    that it may have happened; nothing is sent again. Callers who are gone leave nothing behind. `is_silent` says that
    it ended for want of an answer, `is_proven` that it answered once, or that the one before it did not end so.
    """

    def __init__(self, client: AsyncEventStoreDBClient, seconds: float, previous: "Conversation | None") -> None:
        self._client: Final = client
        self._seconds: Final = seconds
        self._loop: Final = asyncio.get_running_loop()
        self._waiting: Final[OrderedDict[str, _Waiting]] = OrderedDict()
        self._unsent: Final[OrderedDict[str, bytes]] = OrderedDict()
        self._news: Final = asyncio.Event()
        self._silent_since: float | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._call: AppendCall | None = None if previous is None else previous._call
        self.ended = False
        self.is_silent = False
        self.is_proven = previous is None or not previous.is_silent
        self._task: Final = self._loop.create_task(self._keep_up())

    @property
    def in_flight(self) -> int:
        """How many callers wait."""
        return len(self._waiting)

    @property
    def seconds_waited(self) -> float:
        """For how long the oldest request has waited, or nothing has come back though something was sent."""
        since = self._waits_since()
        return 0.0 if since is None else self._loop.time() - since

    async def answer_to(self, correlation_id: str, request: bytes) -> BatchAppendResp:
        """Sends the request, once. Raises StoreUnavailable."""
        caller = _Waiting(self._loop.time(), self._loop.create_future())
        self._waiting[correlation_id] = caller
        self._unsent[correlation_id] = request
        self._news.set()
        if self._watch is None:
            self._watch = self._loop.call_at(caller.since + self._seconds, self._look)
        try:
            return await caller.answer
        finally:
            self._waiting.pop(correlation_id, None)
            self._unsent.pop(correlation_id, None)

    def _waits_since(self) -> float | None:
        """Callers who give up early must not hide that the store is silent."""
        for caller in self._waiting.values():  # the first has waited longest
            return caller.since if self._silent_since is None else min(caller.since, self._silent_since)
        return self._silent_since

    def _look(self) -> None:
        since = self._waits_since()
        if since is None:
            self._watch = None
        elif since + self._seconds <= self._loop.time():
            self.is_silent = True
            self._end(f"no answer within {self._seconds:g} s")
        else:
            self._watch = self._loop.call_at(since + self._seconds, self._look)

    async def _keep_up(self) -> None:
        reason = CLOSED
        try:
            self._call = await self._open()
            await self._exchange(self._call)
            reason = "the store ended the call"
        except StoreUnavailable as error:
            reason = error.reason
        finally:
            self._end(reason)

    async def _open(self) -> AppendCall:
        if self._call is not None:
            async with bounded(self._client, seconds=self._seconds):
                await self._call.reconnect()
        return AppendCall(self._client)

    async def _exchange(self, call: AppendCall) -> None:
        writing = self._loop.create_task(self._write(call))
        try:
            async for answer in call.answers():
                self._hear(answer)
        finally:
            call.cancel()
            writing.cancel()
            await asyncio.wait({writing}, timeout=_END_SECONDS)

    async def _write(self, call: AppendCall) -> None:
        with suppress(StoreUnavailable):  # whoever reads is told why the call ended
            while await self._news.wait():
                await self._write_news(call)

    async def _write_news(self, call: AppendCall) -> None:
        while self._unsent:
            _, request = self._unsent.popitem(last=False)
            if self._silent_since is None:
                self._silent_since = self._loop.time()
            await call.write(request)
        self._news.clear()

    def _hear(self, answer: BatchAppendResp) -> None:
        self.is_proven = True
        caller = self._waiting.pop(answer.correlation_id.string, None)
        if caller is not None and not caller.answer.done():
            caller.answer.set_result(answer)
        self._silent_since = self._loop.time() if self._waiting else None

    def _end(self, reason: str) -> None:
        """Nobody is left waiting, and no more is sent."""
        if self.ended:
            return
        self.ended = True
        if self._watch is not None:
            self._watch.cancel()
        self._unsent.clear()
        for caller in self._waiting.values():
            if not caller.answer.done():
                caller.answer.set_exception(StoreUnavailable(address_of(self._client), reason))
        self._waiting.clear()
        self._task.cancel()
