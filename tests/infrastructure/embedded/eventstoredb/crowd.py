"""Two hundred followers and two hundred writers of one server, in a process of their own; tells how they fared."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NoReturn
from uuid import uuid4

import grpc
from esdbclient.protos.Grpc.streams_pb2 import AppendReq, AppendResp, ReadReq, ReadResp
from google.protobuf.message import Message

from tests.support.eventstore import resident_bytes_of

WRITERS = 200
FOLLOWERS_OF_ALL, FOLLOWERS_OF_SOME, FOLLOWERS_OF_ONE, STALLED = 20, 90, 90, 10
DATA = b"x" * 4000
# A real server, too, takes no more on one connection.
CALLS_PER_CONNECTION = 100
SECONDS = 90.0
STREAMS = "/event_store.client.streams.Streams/"
Taken = list[tuple[int, str]]
Following = grpc.aio.UnaryStreamCall[Message, ReadResp]


class Crowd:
    """Clients of one server, on as many connections as they need."""

    def __init__(self, port: int, channels: AsyncExitStack) -> None:
        self._port, self._channels = port, channels
        self._calls = 0
        self._channel: grpc.aio.Channel
        self.written = [0] * WRITERS
        self.least_when_first_was_done: int | None = None

    async def follow(self, request: ReadReq) -> Following:
        """A subscription that has begun."""
        channel = await self._connection()
        read = channel.unary_stream(
            f"{STREAMS}Read", request_serializer=ReadReq.SerializeToString, response_deserializer=ReadResp.FromString
        )
        call: Following = read(request, timeout=SECONDS)
        self._channels.callback(call.cancel)
        assert (await _next(call)).WhichOneof("content") == "confirmation"
        return call

    async def write(self, number: int, count: int) -> None:
        """One writer's appends, one after the other; notes how far the others are when the first is done."""
        channel = await self._connection()
        append = channel.stream_unary(
            f"{STREAMS}Append",
            request_serializer=AppendReq.SerializeToString,
            response_deserializer=AppendResp.FromString,
        )
        for _ in range(count):
            answer: AppendResp = await append(iter(_append(number)), timeout=SECONDS)
            assert answer.success.current_revision == self.written[number]
            self.written[number] += 1
        if self.least_when_first_was_done is None:
            self.least_when_first_was_done = min(self.written)

    async def _connection(self) -> grpc.aio.Channel:
        if self._calls % CALLS_PER_CONNECTION == 0:
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{self._port}", options=options)
            self._channel = await self._channels.enter_async_context(channel)
        self._calls += 1
        return self._channel


async def _next(call: Following) -> ReadResp:
    frame = await call.read()
    assert isinstance(frame, ReadResp)
    return frame


async def events(call: Following) -> AsyncIterator[tuple[int, str]]:
    """Position and stream of what the writers wrote."""
    while True:
        frame = await _next(call)
        event = frame.event.event
        name = event.stream_identifier.stream_name.decode()
        if name.startswith("writer-"):
            yield event.commit_position, name


async def take(call: Following, count: int) -> Taken:
    """So many of them, in the order in which they come."""
    taken: Taken = []
    async for each in events(call):
        taken.append(each)
        if len(taken) == count:
            break
    return taken


async def take_each(calls: list[Following], count: int) -> list[Taken]:
    return list(await asyncio.gather(*[take(call, count) for call in calls]))


def _append(number: int) -> list[AppendReq]:
    options, event = AppendReq(), AppendReq()
    options.options.stream_identifier.stream_name = f"writer-{number:03}".encode()
    options.options.any.SetInParent()
    event.proposed_message.id.string = str(uuid4())
    event.proposed_message.metadata.update({"type": "Written", "content-type": "application/octet-stream"})
    event.proposed_message.data = DATA
    return [options, event]


def of_all(pattern: str = "") -> ReadReq:
    request = ReadReq()
    options = request.options
    options.all.start.SetInParent()
    options.subscription.SetInParent()
    options.uuid_option.string.SetInParent()
    if pattern:
        options.filter.stream_identifier.regex = pattern
        options.filter.max, options.filter.checkpointIntervalMultiplier = 32, 100
    else:
        options.no_filter.SetInParent()
    return request


def of_one(number: int) -> ReadReq:
    request = of_all()
    request.options.stream.stream_identifier.stream_name = f"writer-{number:03}".encode()
    request.options.stream.start.SetInParent()
    return request


async def meet(crowd: Crowd, pid: int, count: int) -> dict[str, object]:
    """Everybody at once; those who stall read only when all others are done."""
    stalled = [await crowd.follow(of_all()) for _ in range(STALLED)]
    every = [await crowd.follow(of_all()) for _ in range(FOLLOWERS_OF_ALL)]
    tens = [await crowd.follow(of_all(f"^writer-{number:02}.$")) for number in range(20)]
    twenties = [await crowd.follow(of_all(f"^writer-.*{number % 10}$")) for number in range(FOLLOWERS_OF_SOME - 20)]
    ones = [await crowd.follow(of_one(number)) for number in range(FOLLOWERS_OF_ONE)]
    before = resident_bytes_of(pid)
    wholes, *_ = await asyncio.gather(
        take_each(every, WRITERS * count),
        take_each(tens, 10 * count),
        take_each(twenties, 20 * count),
        take_each(ones, count),
        asyncio.gather(*[crowd.write(number, count) for number in range(WRITERS)]),
    )
    grown = resident_bytes_of(pid) - before
    late = await take_each(stalled, WRITERS * count)
    return {
        "in order": wholes[0] == sorted(set(wholes[0])),
        "all the same": all(other == wholes[0] for other in (*wholes, *late)),
        "least when the first was done": crowd.least_when_first_was_done,
        "grown bytes": grown,
    }


async def report(port: int, pid: int, count: int) -> NoReturn:
    """Prints the outcome, and ends the process while its channels are open.

    Closing the last of them can hang for ever: the library then waits on the event loop for its poller thread, which
    waits for the event loop to read the wake-ups of all the calls that were cancelled, more than fit into a socket.
    """
    async with AsyncExitStack() as channels:
        outcome = await asyncio.wait_for(meet(Crowd(port, channels), pid, count), SECONDS)
        sys.stdout.write(json.dumps(outcome))
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(report(*map(int, sys.argv[1:])))
