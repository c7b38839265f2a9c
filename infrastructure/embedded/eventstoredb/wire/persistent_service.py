"""The PersistentSubscriptions service."""

import asyncio
from typing import TypeVar
from uuid import UUID

from esdbclient.protos.Grpc import persistent_pb2, shared_pb2
from google.protobuf.message import Message
from grpclib.const import Cardinality, Handler, Status

from infrastructure.embedded.eventstoredb.groups.consumer_connection import ConsumerConnection
from infrastructure.embedded.eventstoredb.groups.engine import Action
from infrastructure.embedded.eventstoredb.groups.errors import GroupRefused
from infrastructure.embedded.eventstoredb.groups.group import Group
from infrastructure.embedded.eventstoredb.groups.registry import Registry
from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.storage.frames import decode_id
from infrastructure.embedded.eventstoredb.wire.calls import Call, Calls, Failure, Work, thrown_by_handler
from infrastructure.embedded.eventstoredb.wire.persistent_requests import (
    ReadRequest,
    definition_of,
    named_by,
    read_request_of,
    source_named,
)
from infrastructure.embedded.eventstoredb.wire.persistent_responses import (
    info_of,
    message_frame,
    refusals_as_failures,
)

Request = TypeVar("Request", bound=Message)
SERVICE = "event_store.client.persistent_subscriptions.PersistentSubscriptions"
UNANSWERED_SECONDS = 30.0
NEGATIVE_STOP = "Cannot stop replaying parked message at a negative version."


class PersistentService:
    """The calls about groups, on streams and on the log."""

    def __init__(self, log: EventLog, calls: Calls) -> None:
        self._registry = Registry(log)
        self._calls = calls

    async def start(self) -> None:
        """Loads the groups; raises StartRefused where that can't be done."""
        await self._registry.start()

    async def stop(self) -> None:
        """Ends all connections, and writes what the groups have decided."""
        await self._registry.stop()

    def __mapping__(self) -> dict[str, Handler]:
        """The table that the gRPC library asks a service for."""
        unary, both = Cardinality.UNARY_UNARY, Cardinality.STREAM_STREAM
        p, empty = persistent_pb2, shared_pb2.Empty
        methods: dict[str, tuple[Work, Cardinality, type[Message], type[Message]]] = {
            "Create": (self._create, unary, p.CreateReq, p.CreateResp),
            "Update": (self._update, unary, p.UpdateReq, p.UpdateResp),
            "Delete": (self._delete, unary, p.DeleteReq, p.DeleteResp),
            "Read": (self._read, both, p.ReadReq, p.ReadResp),
            "GetInfo": (self._get_info, unary, p.GetInfoReq, p.GetInfoResp),
            "List": (self._list, unary, p.ListReq, p.ListResp),
            "ReplayParked": (self._replay_parked, unary, p.ReplayParkedReq, p.ReplayParkedResp),
            "RestartSubsystem": (self._restart, unary, empty, empty),
        }
        return {f"/{SERVICE}/{name}": self._calls.handler(*method) for name, method in methods.items()}

    async def _create(self, call: Call[persistent_pb2.CreateReq]) -> None:
        request = definition_of(_given(await call.receive()))
        if request.source == "":
            # EventStoreDB answers nothing at all; a client without a deadline gets an answer anyway.
            await asyncio.sleep(UNANSWERED_SECONDS)
            raise Failure(Status.INTERNAL, "Bad stream name.")
        if not request.group:
            raise thrown_by_handler()
        with refusals_as_failures():
            await self._registry.create(request)
        await call.send(persistent_pb2.CreateResp())

    async def _update(self, call: Call[persistent_pb2.UpdateReq]) -> None:
        request = definition_of(_given(await call.receive()))
        with refusals_as_failures():
            await self._registry.update(request)
        await call.send(persistent_pb2.UpdateResp())

    async def _delete(self, call: Call[persistent_pb2.DeleteReq]) -> None:
        stream, group = named_by(_given(await call.receive()).options)
        with refusals_as_failures():
            await self._registry.delete(stream, group)
        await call.send(persistent_pb2.DeleteResp())

    async def _get_info(self, call: Call[persistent_pb2.GetInfoReq]) -> None:
        stream, group = named_by(_given(await call.receive()).options)
        with refusals_as_failures():
            info = info_of(self._registry.get(stream, group))
        await call.send(persistent_pb2.GetInfoResp(subscription_info=info))

    async def _list(self, call: Call[persistent_pb2.ListReq]) -> None:
        options = _given(await call.receive()).options
        with refusals_as_failures():
            groups = self._listed(options)
        await call.send(persistent_pb2.ListResp(subscriptions=map(info_of, groups)))

    def _listed(self, options: persistent_pb2.ListReq.Options) -> list[Group]:
        match options.WhichOneof("list_option"):
            case "list_all_subscriptions":
                return self._registry.all()
            case "list_for_stream":
                request = options.list_for_stream
                identifier = request.stream if request.HasField("stream") else None
                return self._registry.of_source(source_named(identifier))
            case _:
                raise thrown_by_handler()

    async def _replay_parked(self, call: Call[persistent_pb2.ReplayParkedReq]) -> None:
        options = _given(await call.receive()).options
        stream, name = named_by(options)
        with refusals_as_failures():
            group = self._registry.get(stream, name)
            if options.stop_at < 0:
                raise GroupRefused(group.definition.source, name, NEGATIVE_STOP)
        group.replay(options.stop_at if options.HasField("stop_at") else None)
        await call.send(persistent_pb2.ReplayParkedResp())

    async def _restart(self, call: Call[shared_pb2.Empty]) -> None:
        await call.receive()
        with refusals_as_failures():
            await self._registry.restart()
        await call.send(shared_pb2.Empty())

    async def _read(self, call: Call[persistent_pb2.ReadReq]) -> None:
        request = read_request_of(await call.receive())
        with refusals_as_failures():
            group = self._registry.get(request.stream, request.group)
            connection = group.connect(request.slots, call.connection_name, call.peer)
            try:
                await _confirm(call, group)
                await _serve(call, group, connection, request)
            finally:
                group.disconnect(connection)


async def _confirm(call: Call[persistent_pb2.ReadReq], group: Group) -> None:
    confirmation = persistent_pb2.ReadResp.SubscriptionConfirmation(subscription_id=group.definition.key)
    await call.send(persistent_pb2.ReadResp(subscription_confirmation=confirmation))


async def _serve(
    call: Call[persistent_pb2.ReadReq], group: Group, connection: ConsumerConnection, request: ReadRequest
) -> None:
    """Sends messages until the client leaves or the group ends; a client that has said its last still gets them."""
    answers = asyncio.create_task(_take_answers(call, group))
    answers.add_done_callback(lambda task: _drop_on_failure(task, connection))
    try:
        while True:
            batch = await connection.next_batch()
            frames = [message_frame(message, structured_ids=request.structured_ids) for message in batch]
            await call.send_frames(b"".join(frames))
    finally:
        answers.cancel()


async def _take_answers(call: Call[persistent_pb2.ReadReq], group: Group) -> None:
    async for request in call.requests():
        match request.WhichOneof("content"):
            case "ack":
                group.acknowledge(_ids(request.ack))
            case "nack":
                group.refuse(_ids(request.nack), Action(request.nack.action), request.nack.reason)
            case _:
                raise thrown_by_handler()


def _drop_on_failure(answers: asyncio.Task[None], connection: ConsumerConnection) -> None:
    """A request that makes no sense ends the call."""
    error = None if answers.cancelled() else answers.exception()
    if isinstance(error, Exception):
        connection.drop(error)


def _ids(answer: persistent_pb2.ReadReq.Ack | persistent_pb2.ReadReq.Nack) -> list[UUID]:
    try:
        return [decode_id(event_id) for event_id in answer.ids]
    except ValueError as error:
        raise thrown_by_handler() from error


def _given(request: Request | None) -> Request:
    if request is None:
        raise thrown_by_handler()
    return request
