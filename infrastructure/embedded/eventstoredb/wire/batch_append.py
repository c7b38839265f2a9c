"""The BatchAppend call: many writes in flight on one call, answered as they reach the disk."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb.errors import LogError
from infrastructure.embedded.eventstoredb.log import Appended, Log
from infrastructure.embedded.eventstoredb.wire.batch_answers import BatchDenied, BatchTimedOut, answer
from infrastructure.embedded.eventstoredb.wire.calls import Call
from infrastructure.embedded.eventstoredb.wire.proposals import (
    BadProposal,
    Proposal,
    expected_version,
    stream_name,
)

BatchReq = streams_pb2.BatchAppendReq
# Beyond these the call is read no further, so that a client can't fill our memory.
_BATCHES_IN_FLIGHT = 1024
_BYTES_IN_FLIGHT = 16 * 1024 * 1024
_WRITE_TIMEOUT_SECONDS = 2.0


def batch_appender(log: Log) -> Callable[[Call[BatchReq]], Awaitable[None]]:
    """The method for a log."""

    async def batch_append(call: Call[BatchReq]) -> None:
        await _Conversation(log, call).run()

    return batch_append


async def deny_batches(call: Call[BatchReq]) -> None:
    """The method for callers who may not write: the call goes on, each batch is refused."""
    async for request in call.requests():
        if request.HasField("options"):
            stream = request.options.stream_identifier.stream_name
            await call.send_frames(answer(request.correlation_id, stream, BatchDenied()))


class _Batch:
    """A write whose events may still be coming in."""

    def __init__(self, first: BatchReq) -> None:
        self.correlation = first.correlation_id
        self.options = first.options
        self.proposal = Proposal()
        self.deadline: asyncio.TimerHandle | None = None

    def target(self) -> tuple[str, int]:
        """The stream and the expected version. Raises BadProposal."""
        options = self.options
        expected = expected_version(options.WhichOneof("expected_stream_position"), options.stream_position)
        if expected is None:
            raise BadProposal("no expected stream position")
        return stream_name(options.stream_identifier), expected

    def add(self, request: BatchReq) -> None:
        """Raises a LogError when one of the events can't be written."""
        for message in request.proposed_messages:
            self.proposal.add(message)


class _Conversation:
    """One call: a reader (this task), the writes that it has begun, and a task that sends the answers."""

    def __init__(self, log: Log, call: Call[BatchReq]) -> None:
        self._log, self._call = log, call
        self._batches: dict[bytes, _Batch] = {}
        self._writes: set[asyncio.Future[Appended]] = set()
        self._free = asyncio.Semaphore(_BATCHES_IN_FLIGHT)
        self._answers: list[bytes] = []
        self._answered = asyncio.Event()
        self._writing_bytes = 0
        self._all_read = False

    async def run(self) -> None:
        """Until the client has sent its last batch and got its last answer."""
        sender = asyncio.create_task(self._send())
        try:
            async for request in self._call.requests():
                await self._take(request)
            if self._writes:
                await asyncio.wait(self._writes)
            self._all_read = True
            self._answered.set()
            await sender
        finally:
            sender.cancel()
            for batch in list(self._batches.values()):
                self._close(batch)

    async def _send(self) -> None:
        while not (self._all_read and not self._answers):
            await self._answered.wait()
            self._answered.clear()
            frames, self._answers = b"".join(self._answers), []
            await self._call.send_frames(frames)

    async def _take(self, request: BatchReq) -> None:
        key = request.correlation_id.SerializeToString()
        if key not in self._batches and request.HasField("options"):
            await self._open(key, _Batch(request), is_whole=request.is_final)
        batch = self._batches.get(key)
        if batch is None:
            return  # it was answered already, or it never had options
        try:
            batch.add(request)
            target = batch.target()
        except LogError as error:
            self._answer(batch, error)
            return
        if request.is_final:
            await self._start(batch, target)

    async def _start(self, batch: _Batch, target: tuple[str, int]) -> None:
        self._forget_deadline(batch)
        try:
            write = self._log.begin_append(*target, batch.proposal.events)
        except LogError as refusal:
            self._answer(batch, refusal)
            return
        self._writing_bytes += batch.proposal.size
        self._writes.add(write)
        write.add_done_callback(partial(self._written, batch))
        while self._writing_bytes > _BYTES_IN_FLIGHT:
            await asyncio.wait(self._writes, return_when=asyncio.FIRST_COMPLETED)

    async def _open(self, key: bytes, batch: _Batch, *, is_whole: bool) -> None:
        await self._free.acquire()
        self._batches[key] = batch
        seconds = _seconds_left(batch.options)
        if seconds <= 0:
            self._answer(batch, BatchTimedOut())
        elif not is_whole:
            loop = asyncio.get_running_loop()
            batch.deadline = loop.call_later(seconds, self._answer, batch, BatchTimedOut())

    def _written(self, batch: _Batch, write: asyncio.Future[Appended]) -> None:
        self._writes.discard(write)
        self._writing_bytes -= batch.proposal.size
        error = write.exception()
        if error is None or isinstance(error, LogError):
            self._answer(batch, write.result() if error is None else error)

    def _answer(self, batch: _Batch, result: Appended | LogError) -> None:
        self._close(batch)
        stream = batch.options.stream_identifier.stream_name
        self._answers.append(answer(batch.correlation, stream, result))
        self._answered.set()

    def _close(self, batch: _Batch) -> None:
        self._forget_deadline(batch)
        if self._batches.pop(batch.correlation.SerializeToString(), None) is not None:
            self._free.release()

    def _forget_deadline(self, batch: _Batch) -> None:
        if batch.deadline is not None:
            batch.deadline.cancel()


def _seconds_left(options: BatchReq.Options) -> float:
    """How long the rest of a batch may take to arrive."""
    kind = options.WhichOneof("deadline_option")
    if kind == "deadline":
        return min(options.deadline.seconds + options.deadline.nanos / 1e9, _WRITE_TIMEOUT_SECONDS)
    if kind == "deadline_21_10_0":
        until = options.deadline_21_10_0
        return min(until.seconds + until.nanos / 1e9 - time.time(), _WRITE_TIMEOUT_SECONDS)
    return _WRITE_TIMEOUT_SECONDS
