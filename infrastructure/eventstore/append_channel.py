"""Keeps up one call that carries many appends, and fails waiting callers at their deadline."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from math import inf
from typing import Final, NamedTuple

from esdbclient import AsyncEventStoreDBClient
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp

from infrastructure.eventstore.append_call import AppendCall
from infrastructure.eventstore.client import CLOSED, address_of, bounded
from infrastructure.eventstore.errors import StoreUnavailable

_END_SECONDS: Final = 1.0


class _Waiting(NamedTuple):
    """A caller, and the bytes of its request; `since` is a time of the event loop."""

    since: float
    size: int
    answer: "asyncio.Future[BatchAppendResp]"


class AppendChannel:
    """Requests and answers on one call, matched by their correlation ids.

    The call is opened at once, on a new connection where the end of the previous one asks for that. A request without
    an answer within `seconds` ends alone: its caller is told that it may have happened, and nothing is sent again. The
    call ends when the store or the client ends it, or when the store is silent: nothing was answered for so long, and
    no request is younger than half of that time. A request that the store passed by, as it answered a younger one, is
    no silence. Callers who are gone leave nothing behind.

    When it has ended, `suspected` is the size of the largest request that the store had not answered, None where it
    has answered one as large.
    """

    def __init__(self, client: AsyncEventStoreDBClient, seconds: float, previous: "AppendChannel | None") -> None:
        self._client: Final = client
        self._seconds: Final = seconds
        self._loop: Final = asyncio.get_running_loop()
        self._waiting: Final[OrderedDict[str, _Waiting]] = OrderedDict()
        self._unsent: Final[OrderedDict[str, bytes]] = OrderedDict()
        self._has_unsent: Final = asyncio.Event()
        self._next_answer: asyncio.Future[None] | None = None
        self.ended = False
        self.is_silent = False
        self.suspected: int | None = None
        self._unanswered_since: float | None = None
        self._answered: float = 0.0  # when the youngest request came that was answered
        self._largest_answered = 0
        self._probed = -inf
        self._watch: asyncio.TimerHandle | None = None
        self._call: AppendCall | None = None if previous is None else previous._call
        self._is_proven = previous is None or not previous.is_silent
        self._task: Final = self._loop.create_task(self._keep_up())

    @property
    def in_flight(self) -> int:
        """How many callers wait."""
        return len(self._waiting)

    @property
    def is_doubtful(self) -> bool:
        """Whether the store may be silent: for half of the time that it has, or since the call before this one."""
        began = self._silence_began()
        return not self._is_proven or (began is not None and self._loop.time() - began > self._seconds / 2)

    def may_probe(self) -> bool:
        """Whether it is time for another request to find out whether the store is still silent; then it is sent."""
        now = self._loop.time()
        if now - self._probed < self._seconds / 2:
            return False
        self._probed = now
        return True

    async def is_answered(self, within: float) -> bool:
        """Waits for an answer to anybody, which ends all doubt, until so many seconds after the last probe."""
        left = self._probed + within - self._loop.time()
        if left <= 0:
            return False
        if self._next_answer is None or self._next_answer.done():
            self._next_answer = self._loop.create_future()
        answer = self._next_answer
        await asyncio.wait({answer}, timeout=left)
        return answer.done() and not self.ended

    async def close(self) -> None:
        """Ends the call; whoever waits is told that it may have happened."""
        self._end(self._unavailable(CLOSED))
        await asyncio.wait({self._task}, timeout=_END_SECONDS)

    async def answer_to(self, correlation_id: str, request: bytes) -> BatchAppendResp:
        """Sends the request, once. Raises StoreUnavailable."""
        caller = _Waiting(self._loop.time(), len(request), self._loop.create_future())
        self._waiting[correlation_id] = caller
        self._unsent[correlation_id] = request
        self._has_unsent.set()
        if self._watch is None:
            self._watch = self._loop.call_at(caller.since + self._seconds, self._check_deadlines)
        try:
            return await caller.answer
        finally:
            self._waiting.pop(correlation_id, None)
            self._unsent.pop(correlation_id, None)

    def _silence_began(self) -> float | None:
        """Callers who give up early must not hide that the store is silent."""
        began = self._unanswered_since
        for caller in self._waiting.values():
            if caller.since > self._answered:  # the oldest that the store has not passed by
                return caller.since if began is None else min(began, caller.since)
        return began

    def _ends_at(self) -> float | None:
        """When the call ends if nothing is answered until then; who came lately is given half of the time at least."""
        began = self._silence_began()
        if began is None:
            return None
        youngest = next(reversed(self._waiting.values()), None)
        spared = began if youngest is None else youngest.since + self._seconds / 2
        return max(began + self._seconds, spared)

    def _check_deadlines(self) -> None:
        """Ends the requests whose time is up, and with them the call where the store is silent."""
        now, ends_at = self._loop.time(), self._ends_at()
        late = self._unavailable(f"no answer within {self._seconds:g} s")
        if ends_at is not None and ends_at <= now:
            self.is_silent = True
            self._end(late)
            return
        unanswered = [caller for caller in self._waiting.values() if not caller.answer.done()]
        for caller in unanswered:
            if caller.since + self._seconds <= now:
                _fail(caller, late)
        times = [caller.since + self._seconds for caller in unanswered if not caller.answer.done()][:1]
        following = min(times if ends_at is None else [*times, ends_at], default=None)
        self._watch = None if following is None else self._loop.call_at(following, self._check_deadlines)

    def _unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(address_of(self._client), reason)

    async def _keep_up(self) -> None:
        failure = self._unavailable(CLOSED)
        try:
            self._call = await self._open()
            await self._exchange(self._call)
            failure = self._unavailable("the store ended the call")
        except StoreUnavailable as error:
            failure = error
        finally:
            self._end(failure)

    async def _open(self) -> AppendCall:
        if self._call is not None:
            async with bounded(self._client, seconds=self._seconds):
                await self._call.reconnect()
        return AppendCall(self._client)

    async def _exchange(self, call: AppendCall) -> None:
        writing = self._loop.create_task(self._write(call))
        try:
            async for answer in call.answers():
                self._take(answer)
        finally:
            call.cancel()
            writing.cancel()
            await asyncio.wait({writing}, timeout=_END_SECONDS)

    async def _write(self, call: AppendCall) -> None:
        with suppress(StoreUnavailable):  # whoever reads is told why the call ended
            while await self._has_unsent.wait():
                await self._write_unsent(call)

    async def _write_unsent(self, call: AppendCall) -> None:
        while self._unsent:
            _, request = self._unsent.popitem(last=False)
            if self._unanswered_since is None:
                self._unanswered_since = self._loop.time()
            await call.write(request)
        self._has_unsent.clear()

    def _take(self, answer: BatchAppendResp) -> None:
        self._is_proven = True
        self._unanswered_since = None
        self._end_doubt()
        caller = self._waiting.pop(answer.correlation_id.string, None)
        if caller is None:
            return
        self._answered = max(self._answered, caller.since)
        self._largest_answered = max(self._largest_answered, caller.size)
        if not caller.answer.done():
            caller.answer.set_result(answer)

    def _end_doubt(self) -> None:
        if self._next_answer is not None and not self._next_answer.done():
            self._next_answer.set_result(None)

    def _end(self, failure: StoreUnavailable) -> None:
        """Nobody is left waiting, and no more is sent."""
        if self.ended:
            return
        self.ended = True
        self._end_doubt()
        if self._watch is not None:
            self._watch.cancel()
        sizes = [caller.size for key, caller in self._waiting.items() if key not in self._unsent]
        self.suspected = max((size for size in sizes if size > self._largest_answered), default=None)
        self._unsent.clear()
        for caller in self._waiting.values():
            _fail(caller, failure)
        self._waiting.clear()
        self._task.cancel()


def _fail(caller: _Waiting, failure: StoreUnavailable) -> None:
    """Every caller gets an exception of its own, for its own traceback."""
    if not caller.answer.done():
        caller.answer.set_exception(StoreUnavailable(failure.address, failure.reason, for_size=failure.for_size))
