"""Threads in which requests look back: there the log is read several times faster than in an event loop.

A reader belongs to one thread at a time. It is made when it is first needed, kept for the next request, and closed
when the store could not be used through it. A thread can't be stopped, so every one of its calls has a deadline; it
counts as busy until it has ended, also when nobody waits for it any more. Only the search for the leader of a cluster
that is away takes as long as the options in the store's URI say. Nobody waits for a store that is known to be away,
though the threads that were reading from it do.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final, TypeVar

from infrastructure.commands.circuit import Circuit
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.uri import address_in
from service.http.middleware.gate import Gate

_WAITING: Final = 8  # may wait for each thread
_TURN: Final = 0.75  # of a request's time may pass before its turn
AnswerT = TypeVar("AnswerT")


class HistoryThreads:
    """`at_once` threads that read the log at `uri`, each request within `seconds`, unless the `circuit` is open."""

    def __init__(self, uri: str, at_once: int, seconds: float, circuit: Circuit) -> None:
        self._uri: Final = uri
        self._seconds: Final = seconds
        self._circuit: Final = circuit
        self._gate: Final = Gate(at_once, _WAITING * at_once, _TURN * seconds)
        self._threads: Final = ThreadPoolExecutor(at_once, thread_name_prefix="history")
        self._ended: Final = threading.Event()
        self._idle: Final[list[LogReader]] = []
        self._under_way: Final[set[asyncio.Task[Any]]] = set()
        self._in_threads: Final[set[asyncio.Task[Any]]] = set()

    async def run(self, ask: Callable[[LogReader], AnswerT], tenant: str) -> AnswerT:
        """The result of `ask`, called in a thread with a reader of its own, in the tenant's turn.

        Raises what it raises, Problem `overloaded`, and StoreUnavailable: after `seconds`, and as soon as the store is
        known to be away.
        """
        self._circuit.require_readable()
        work = asyncio.create_task(self._in_turn(ask, tenant, monotonic() + self._seconds), name="look back")
        self._under_way.add(work)
        work.add_done_callback(self._forget)
        await self._until_done(work)
        if not work.done():
            if work not in self._in_threads:
                work.cancel()
            self._circuit.require_readable()
            raise _too_slow(address_in(self._uri))
        try:
            return work.result()
        except StoreUnavailable as error:
            if error.is_away:
                self._circuit.suspect()
            raise

    def close(self) -> None:
        """Ends what is under way at its next call, and all connections."""
        self._ended.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._close_idle()

    async def _until_done(self, work: asyncio.Task[Any]) -> None:
        """Within its time, or until the store is known to be away; one that takes long makes it suspect."""
        away = asyncio.create_task(self._circuit.until_unreadable(), name="see whether the event store is away")
        suspecting = asyncio.get_running_loop().call_later(self._circuit.patience, self._circuit.suspect)
        try:
            await asyncio.wait({work, away}, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            suspecting.cancel()
            away.cancel()

    async def _in_turn(self, ask: Callable[[LogReader], AnswerT], tenant: str, ends: float) -> AnswerT:
        async with self._gate.place(tenant):
            task = asyncio.current_task()
            assert task is not None
            self._in_threads.add(task)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, ask, ends)

    def _forget(self, work: asyncio.Task[Any]) -> None:
        self._under_way.discard(work)
        self._in_threads.discard(work)
        if not work.cancelled():
            work.exception()  # whoever still waits has got it

    def _work(self, ask: Callable[[LogReader], AnswerT], ends: float) -> AnswerT:
        with self._reader() as reader:
            return ask(reader.hurried(lambda: self._seconds_until(ends)))

    def _seconds_until(self, ends: float) -> float:
        """Raises StoreUnavailable where none are left."""
        left = ends - monotonic()
        if left <= 0 or self._ended.is_set():
            raise _too_slow(address_in(self._uri))
        return left

    @contextmanager
    def _reader(self) -> Iterator[LogReader]:
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = open_reader(self._uri)
        usable = True
        try:
            yield reader
        except StoreUnavailable:
            usable = False
            raise
        finally:
            if usable:
                self._idle.append(reader)
            else:
                reader.close()
            if self._ended.is_set():
                self._close_idle()

    def _close_idle(self) -> None:
        """Several threads may be at it, or may take one of them."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


def _too_slow(address: str) -> StoreUnavailable:
    return StoreUnavailable(address, "looking back took longer than it may", is_away=False)
