"""The BatchAppend call: many writes in flight on one call, answered as they reach the disk."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from weakref import WeakKeyDictionary

from esdbclient.protos.Grpc import streams_pb2
from grpclib.const import Status

from infrastructure.embedded.eventstoredb.errors import LogError
from infrastructure.embedded.eventstoredb.log import Appended, EventLog
from infrastructure.embedded.eventstoredb.wire.batch import Batch
from infrastructure.embedded.eventstoredb.wire.batch_responses import BatchDenied, BatchTimedOut, batch_response
from infrastructure.embedded.eventstoredb.wire.calls import Call, Failure, thrown_by_handler
from infrastructure.embedded.eventstoredb.wire.memory_quota import AppendQuotas

BatchReq = streams_pb2.BatchAppendReq
# A client that leaves so many answers unread for so long has gone or gone wrong.
_UNREAD_SECONDS = 5.0
# An id as text has 36; what is no id may be anything, and comes back with the answer.
_MOST_CORRELATION_BYTES = 256


def batch_appender(log: EventLog) -> Callable[[Call[BatchReq]], Awaitable[None]]:
    """The method for a log."""
    connections: WeakKeyDictionary[object, AppendQuotas] = WeakKeyDictionary()

    async def batch_append(call: Call[BatchReq]) -> None:
        quotas = connections.get(call.connection)
        if quotas is None:
            quotas = connections[call.connection] = AppendQuotas.of_connection()
        await _BatchAppendCall(log, call, quotas.of_call()).run()

    return batch_append


async def deny_batches(call: Call[BatchReq]) -> None:
    """The method for callers who may not write: the call goes on, each batch is refused."""
    async for request in call.requests():
        if request.HasField("options"):
            stream = request.options.stream_identifier.stream_name
            await call.send_frames(batch_response(request.correlation_id, stream, BatchDenied()))


class _BatchAppendCall:
    """One call: a reader (this task), the writes that it has begun, and a task that sends the answers."""

    def __init__(self, log: EventLog, call: Call[BatchReq], quotas: AppendQuotas) -> None:
        self._log, self._call, self._quotas = log, call, quotas
        self._batches: dict[bytes, Batch] = {}
        self._writes: set[asyncio.Future[Appended]] = set()
        self._answers: list[bytes] = []
        self._answered, self._sent = asyncio.Event(), asyncio.Event()
        self._all_read = self._is_over = False

    async def run(self) -> None:
        """Until the client has sent its last batch and got its last answer. Raises Failure."""
        sender = asyncio.create_task(self._send())
        try:
            async for request in self._call.requests():
                self._take(request)
                await self._wait_for_quota()
            if self._writes:
                await asyncio.wait(self._writes)
            self._all_read = True
            self._answered.set()
            await sender
        finally:
            self._is_over = True
            sender.cancel()
            for batch in list(self._batches.values()):
                self._close(batch)
            self._quotas.unread.clear()

    async def _send(self) -> None:
        while not (self._all_read and not self._answers):
            await self._answered.wait()
            self._answered.clear()
            answers, self._answers = self._answers, []
            frames = b"".join(answers)
            await self._call.send_frames(frames)
            self._quotas.unread.add(-len(frames), -len(answers))
            self._sent.set()

    async def _wait_for_quota(self) -> None:
        """Lets the disk and the client catch up, as far as it is this call's part."""
        while self._writes and self._quotas.writing.is_exceeded:
            await asyncio.wait(self._writes, return_when=asyncio.FIRST_COMPLETED)
        while self._quotas.unread.count and self._quotas.unread.is_exceeded:
            self._sent.clear()
            try:
                async with asyncio.timeout(_UNREAD_SECONDS):
                    await self._sent.wait()
            except TimeoutError as error:
                raise Failure(Status.RESOURCE_EXHAUSTED, "Too many answers to batches are not read.") from error

    def _take(self, request: BatchReq) -> None:
        key = request.correlation_id.SerializeToString()
        if len(key) > _MOST_CORRELATION_BYTES:
            raise thrown_by_handler()
        if key not in self._batches and request.HasField("options"):
            self._open(Batch(key, request), is_whole=request.is_final)
        batch = self._batches.get(key)
        if batch is None:
            return  # it was answered already, or it never had options
        try:
            target = batch.target()
            batch.add(request)
        except LogError as error:
            self._answer(batch, error)
            return
        if request.is_final:
            self._start(batch, target)
        else:
            self._keep(batch)

    def _keep(self, batch: Batch) -> None:
        unfinished = self._quotas.unfinished
        unfinished.add(batch.held_bytes - batch.counted_bytes, 0 if batch.counted_bytes else 1)
        batch.counted_bytes = batch.held_bytes
        if unfinished.is_exceeded:
            raise Failure(Status.RESOURCE_EXHAUSTED, "Too much is in batches that lack their last part.")

    def _start(self, batch: Batch, target: tuple[str, int]) -> None:
        self._close(batch)
        try:
            write = self._log.begin_append(*target, batch.proposal.events)
        except LogError as refusal:
            self._answer(batch, refusal)
            return
        self._quotas.writing.add(batch.held_bytes)
        self._writes.add(write)
        write.add_done_callback(partial(self._written, batch))

    def _open(self, batch: Batch, *, is_whole: bool) -> None:
        self._batches[batch.key] = batch
        seconds = batch.seconds_left()
        if seconds <= 0:
            self._answer(batch, BatchTimedOut())
        elif not is_whole:
            loop = asyncio.get_running_loop()
            batch.deadline = loop.call_later(seconds, self._answer, batch, BatchTimedOut())

    def _written(self, batch: Batch, write: asyncio.Future[Appended]) -> None:
        self._writes.discard(write)
        self._quotas.writing.add(-batch.held_bytes, -1)
        error = write.exception()
        if error is None or isinstance(error, LogError):
            self._answer(batch, write.result() if error is None else error)

    def _answer(self, batch: Batch, result: Appended | LogError) -> None:
        self._close(batch)
        if self._is_over:
            return
        frame = batch_response(batch.correlation, batch.stream, result)
        self._quotas.unread.add(len(frame))
        self._answers.append(frame)
        self._answered.set()

    def _close(self, batch: Batch) -> None:
        """Nothing more of it is to come; another one may have the same id from now on."""
        if batch.deadline is not None:
            batch.deadline.cancel()
        if self._batches.get(batch.key) is batch:
            del self._batches[batch.key]
        if batch.counted_bytes:
            self._quotas.unfinished.add(-batch.counted_bytes, -1)
            batch.counted_bytes = 0
