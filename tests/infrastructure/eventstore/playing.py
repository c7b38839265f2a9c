"""Nodes that answer appends as a test tells them to: wrongly, late, never, or by naming another node."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import grpc
from esdbclient import AsyncEventStoreDBClient
from esdbclient.protos.Grpc.gossip_pb2 import ClusterInfo, MemberInfo
from esdbclient.protos.Grpc.shared_pb2 import Empty
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq, BatchAppendResp
from google.protobuf.message import Message

from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.silent_store import running


class Playing(grpc.GenericRpcHandler):
    """`next_asked` waits for a request; `answer` sends a message on the call that came last, `end` ends that call.

    `calls` holds the metadata of every call that was made, `heard` counts the requests. A `deaf` node takes no request
    from its connection.
    """

    def __init__(self, *, deaf: bool = False) -> None:
        self._deaf = deaf
        self.calls: list[dict[str, str | bytes]] = []
        self.heard = 0
        self._asked: SimpleQueue[BatchAppendReq] = SimpleQueue()
        self._words: SimpleQueue[BatchAppendResp | grpc.StatusCode] = SimpleQueue()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        return grpc.stream_stream_rpc_method_handler(
            self._converse, BatchAppendReq.FromString, BatchAppendResp.SerializeToString
        )

    async def next_asked(self) -> BatchAppendReq:
        return await asyncio.to_thread(self._asked.get, timeout=10.0)

    def answer(self, asked: BatchAppendReq, answer: BatchAppendResp) -> None:
        answer.correlation_id.CopyFrom(asked.correlation_id)
        self._words.put(answer)

    def end(self, status: grpc.StatusCode = grpc.StatusCode.OK) -> None:
        self._words.put(status)

    def _converse(self, requests: Iterator[BatchAppendReq], context: grpc.ServicerContext) -> Iterator[BatchAppendResp]:
        words = self._words = SimpleQueue[BatchAppendResp | grpc.StatusCode]()
        self.calls.append(dict(context.invocation_metadata()))
        context.add_callback(lambda: words.put(grpc.StatusCode.CANCELLED))
        if not self._deaf:
            Thread(target=self._listen, args=(requests,), daemon=True).start()
        while isinstance(word := words.get(timeout=60), BatchAppendResp):
            yield word
        if word is not grpc.StatusCode.OK:
            context.abort(word, "as it was told to")

    def _listen(self, requests: Iterator[BatchAppendReq]) -> None:
        try:
            for request in requests:
                self.heard += 1
                self._asked.put(request)
        except grpc.RpcError:
            return  # the call has ended


class Deposed(grpc.GenericRpcHandler):
    """Takes itself for the leader of a cluster, but sends appends to the one that is: the server at `leader`."""

    def __init__(self, leader: str) -> None:
        self.asked = 0
        self._leader = urlsplit(leader)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        if handler_call_details.method == "/event_store.client.gossip.Gossip/Read":
            return grpc.unary_unary_rpc_method_handler(self._gossip, Empty.FromString, ClusterInfo.SerializeToString)
        return grpc.stream_stream_rpc_method_handler(self._refuse)

    def _gossip(self, request: Message, context: grpc.ServicerContext) -> ClusterInfo:
        return ClusterInfo(members=[MemberInfo(state=MemberInfo.VNodeState.Leader, is_alive=True)])

    def _refuse(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        next(requests)
        self.asked += 1
        host, port = self._leader.hostname or "", str(self._leader.port)
        context.set_trailing_metadata((("leader-endpoint-host", host), ("leader-endpoint-port", port)))
        context.abort(grpc.StatusCode.NOT_FOUND, "Leader info available")
        yield b""


@asynccontextmanager
async def played(node: Playing) -> AsyncIterator[AsyncEventStoreDBClient]:
    """A client of such a node."""
    with running(node) as uri:
        async with connected(uri) as client:
            yield client
