"""Puts writes on disk: all that wait together are one transaction and one wait for the disk."""

import asyncio
import math
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

import structlog

from infrastructure.embedded.eventstoredb.errors import LogError, RepeatInFlight, StorageFailed
from infrastructure.embedded.eventstoredb.storage.file_watch import FilesReplaced, FileWatch
from infrastructure.embedded.eventstoredb.storage.rows import Row
from infrastructure.embedded.eventstoredb.storage.transaction import Transaction

T = TypeVar("T")
Work: TypeAlias = Callable[[Transaction], T]
# Called with the position at which the log ends now, and the visible records that are new.
Committed: TypeAlias = Callable[[int, list[Row]], None]
# With the time since when it waits.
_Waiting: TypeAlias = tuple[Work[Any], asyncio.Future[Any], float]
# How long decisions may take in a row: readers wait meanwhile, on the same event loop.
_SLICE_SECONDS = 0.005
_CLOSE_SECONDS = 5.0
# How long a write waits for a lock of another process, the first one at a start, and how often it is tried.
_LOCK_SECONDS, _FIRST_LOCK_SECONDS, _LOCK_TRY_SECONDS = 0.25, 5.0, 0.01
# How often it is tried whether a disk that refused takes writes again.
_PROBE_SECONDS = 0.5
# EventStoreDB looks once a second for writes that have waited for two.
_TIMEOUT_SECONDS, _TICK_SECONDS = 2.0, 1.0
logger = structlog.get_logger()


class LogWriter:
    """Decides on the event loop, in memory; commits in a thread, because that waits for the disk.

    Deciding in the thread would be slower: SQLite gives the interpreter lock back at every step, and a busy
    event loop would hold it for milliseconds each time.
    """

    def __init__(self, connection: sqlite3.Connection, committed: Committed, files: FileWatch | None) -> None:
        """`files` are those of the log; None where it is in memory."""
        self._connection, self._committed, self._files = connection, committed, files
        self.fault: str | None = None
        self._patience = _FIRST_LOCK_SECONDS
        self._transaction = Transaction(connection)
        self._waiting: deque[_Waiting] = deque()
        self._taken: list[asyncio.Future[Any]] = []  # being written together
        self._dropped: set[asyncio.Future[Any]] = set()  # neither written nor answered yet
        self._something_waits = asyncio.Event()
        self._thread = None if files is None else ThreadPoolExecutor(1, "commit")
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._give_up)

    async def write(self, work: Work[T]) -> T:
        """Runs `work` in a transaction; returns its result once that is on disk.

        Raises what `work` refuses with (a LogError), or StorageFailed, when nothing of it is left.
        """
        return await self.begin(work)

    def begin(self, work: Work[T]) -> asyncio.Future[T]:
        """The same for those who wait for many writes at once. Raises StorageFailed."""
        if self._task.done():
            raise StorageFailed("the log is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future, time.monotonic()))
        self._something_waits.set()
        return future

    async def broken(self) -> None:
        """Returns if no more can ever be written, because of an unexpected error."""
        await asyncio.wait([self._task])

    async def close(self) -> None:
        """Commits what waits, then stops."""
        if not self._task.done():
            last = asyncio.ensure_future(self.write(lambda _: None))
            await asyncio.wait([last], timeout=_CLOSE_SECONDS)
            self._task.cancel()
            await asyncio.wait([self._task, last], timeout=_CLOSE_SECONDS)
        if self._thread is not None:
            self._thread.shutdown()

    async def _run(self) -> None:
        while True:
            await self._wait_for_work()
            self._taken = []
            try:
                if await self._begin(self._taken):
                    await self._write_together(self._taken)
                    self._succeeded()
            except (sqlite3.Error, FilesReplaced, ValueError, OverflowError) as error:
                self._roll_back(self._taken, error)
            if not self._waiting:
                self._something_waits.clear()

    async def _wait_for_work(self) -> None:
        """While writes fail, an empty one is tried now and then: who asks for the fault is to hear that it is over."""
        try:
            async with asyncio.timeout(None if self.fault is None else _PROBE_SECONDS):
                await self._something_waits.wait()
        except TimeoutError:
            self.begin(lambda _: None).add_done_callback(asyncio.Future.exception)

    async def _begin(self, taken: list[asyncio.Future[Any]]) -> bool:
        """Opens a transaction once no other process has the lock; whether there is still something to write."""
        began = time.monotonic()
        while self._waiting:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not _is_locked(error):
                    taken.append(self._waiting.popleft()[1])
                    raise
                self._refuse_overdue(began)
            else:
                return True
            await asyncio.sleep(_LOCK_TRY_SECONDS)
        return False

    def _refuse_overdue(self, began: float) -> None:
        """Ends the waiting for a lock, which was met at `began`, of those who have waited long enough."""
        now = time.monotonic()
        overdue = []
        while self._waiting and max(began, self._waiting[0][2]) + self._patience <= now:
            overdue.append(self._waiting.popleft()[1])
        if overdue:
            self._failed("another process holds a lock on the log's file", overdue)

    async def _write_together(self, taken: list[asyncio.Future[Any]]) -> None:
        until = time.monotonic() + _SLICE_SECONDS
        answers = []
        if self.fault is not None:
            self._transaction.touch()  # also those that write nothing are to fail while nothing can be written
        while self._waiting and (not taken or time.monotonic() < until):
            work, future, _ = self._waiting.popleft()
            taken.append(future)
            if not future.done():
                answers.append((future, self._attempt(work)))
        await self._commit()
        self._committed(self._transaction.last_position, self._transaction.take_written())
        for future, answer in answers:
            self._answer(future, answer)

    def _answer(self, future: asyncio.Future[Any], answer: Any) -> None:
        if isinstance(answer, RepeatInFlight):
            self._time_out(future, answer)
        else:
            _settle(future, answer)

    def _time_out(self, future: asyncio.Future[Any], dropped: RepeatInFlight) -> None:
        """Lets the sender of a dropped write wait for as long as EventStoreDB does."""
        loop = asyncio.get_running_loop()
        tick = math.ceil((loop.time() + _TIMEOUT_SECONDS) / _TICK_SECONDS) * _TICK_SECONDS
        self._dropped.add(future)
        future.add_done_callback(self._dropped.discard)
        loop.call_at(tick, _settle, future, dropped)

    async def _commit(self) -> None:
        if self._thread is None:
            self._connection.commit()  # with no wait in between, readers never see what is half written
        else:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._commit_to_disk)

    def _commit_to_disk(self) -> None:
        """Raises FilesReplaced where nobody will find again what was written."""
        self._connection.commit()
        if self._files is not None:
            self._files.check()

    def _attempt(self, work: Work[Any]) -> Any:
        """A refusal is an answer like others: it is given once what it was based on is on disk."""
        try:
            return work(self._transaction)
        except LogError as refusal:
            return refusal

    def _roll_back(self, taken: list[asyncio.Future[Any]], error: Exception) -> None:
        if self._connection.in_transaction:
            self._connection.rollback()
        self._transaction.reload()
        self._failed(str(error), taken, lasting=isinstance(error, (sqlite3.Error, FilesReplaced)))

    def _failed(self, reason: str, futures: list[asyncio.Future[Any]], *, lasting: bool = True) -> None:
        """A fault that is not `lasting` lies in what was to be written."""
        if reason != self.fault:
            logger.error("log_write_failed", error=reason, writes=len(futures))
        if lasting:
            self.fault = reason
        for future in futures:
            _settle(future, StorageFailed(reason))

    def _succeeded(self) -> None:
        self._patience = _LOCK_SECONDS
        if self.fault is not None:
            logger.info("log_written_again", was=self.fault)
            self.fault = None

    def _give_up(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            logger.critical("log_writer_died", exc_info=task.exception())
        for future in (*self._taken, *self._dropped, *(future for _, future, _ in self._waiting)):
            _settle(future, StorageFailed("the log is closed"))
        self._waiting.clear()


def _is_locked(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _settle(future: asyncio.Future[Any], answer: Any) -> None:
    if future.done():
        return  # the caller has gone; what was written stays written
    if isinstance(answer, LogError):
        future.set_exception(answer)
    else:
        future.set_result(answer)
