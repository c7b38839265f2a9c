"""The Projections service: the five system projections are managed with it; others can't be made here."""

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from esdbclient.protos.Grpc import projections_pb2, shared_pb2
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value
from grpclib.const import Cardinality, Handler, Status

from infrastructure.embedded.eventstoredb.errors import StorageFailed
from infrastructure.embedded.eventstoredb.projections.subsystem import ProjectionStatus, Subsystem, UnknownProjection
from infrastructure.embedded.eventstoredb.wire.calls import Call, Calls, Failure, Work, thrown_by_handler

SERVICE = "event_store.client.projections.Projections"
NO_SCRIPTS = "This server runs the system projections only: those in JavaScript need a real EventStoreDB."
FIXED = "A system projection can't be changed or deleted on this server; it can be disabled."
NO_RESULT = "A system projection has no result: it writes links."


class ProjectionsService:
    """Statistics, state, and switching on and off."""

    def __init__(self, subsystem: Subsystem, calls: Calls) -> None:
        self._subsystem, self._calls = subsystem, calls

    def __mapping__(self) -> Mapping[str, Handler]:
        """The table that the gRPC library asks a service for."""
        p, empty = projections_pb2, shared_pb2.Empty
        methods: dict[str, tuple[Work, type[Message], type[Message]]] = {
            "Create": (self._create, p.CreateReq, p.CreateResp),
            "Update": (self._update, p.UpdateReq, p.UpdateResp),
            "Delete": (self._delete, p.DeleteReq, p.DeleteResp),
            "Enable": (self._enable, p.EnableReq, p.EnableResp),
            "Disable": (self._disable, p.DisableReq, p.DisableResp),
            "Reset": (self._reset, p.ResetReq, p.ResetResp),
            "State": (self._state, p.StateReq, p.StateResp),
            "Result": (self._result, p.ResultReq, p.ResultResp),
            "RestartSubsystem": (self._restart, empty, empty),
        }
        unary, streaming = Cardinality.UNARY_UNARY, Cardinality.UNARY_STREAM
        table = {name: self._calls.handler(work, unary, *types) for name, (work, *types) in methods.items()}
        table["Statistics"] = self._calls.handler(self._statistics, streaming, p.StatisticsReq, p.StatisticsResp)
        return {f"/{SERVICE}/{name}": handler for name, handler in table.items()}

    async def _create(self, call: Call[projections_pb2.CreateReq]) -> None:
        options = (await _request(call)).options
        mode = options.WhichOneof("mode")
        name = "" if mode in (None, "one_time") else getattr(options, mode).name
        if name in self._subsystem.names():
            raise Failure(Status.UNKNOWN, "Envelope callback expected Updated, received Conflict instead")
        raise Failure(Status.UNIMPLEMENTED, NO_SCRIPTS)

    async def _update(self, call: Call[projections_pb2.UpdateReq]) -> None:
        self._known(await _request(call))
        raise Failure(Status.UNIMPLEMENTED, FIXED)

    async def _delete(self, call: Call[projections_pb2.DeleteReq]) -> None:
        if self._known(await _request(call)).state.enabled:
            raise Failure(Status.UNKNOWN, "Envelope callback expected Updated, received OperationFailed instead")
        raise Failure(Status.UNIMPLEMENTED, FIXED)

    async def _enable(self, call: Call[projections_pb2.EnableReq]) -> None:
        name = (await _request(call)).options.name
        await self._command(call, self._subsystem.enable(name), projections_pb2.EnableResp())

    async def _disable(self, call: Call[projections_pb2.DisableReq]) -> None:
        name = (await _request(call)).options.name
        await self._command(call, self._subsystem.disable(name), projections_pb2.DisableResp())

    async def _reset(self, call: Call[projections_pb2.ResetReq]) -> None:
        name = (await _request(call)).options.name
        await self._command(call, self._subsystem.reset(name), projections_pb2.ResetResp())

    async def _restart(self, call: Call[shared_pb2.Empty]) -> None:
        await call.receive()
        await self._command(call, self._subsystem.restart(), shared_pb2.Empty())

    async def _state(self, call: Call[projections_pb2.StateReq]) -> None:
        self._known(await _request(call))
        await call.send(projections_pb2.StateResp(state=Value(struct_value=Struct())))

    async def _result(self, call: Call[projections_pb2.ResultReq]) -> None:
        self._known(await _request(call))
        raise Failure(Status.UNIMPLEMENTED, NO_RESULT)

    async def _statistics(self, call: Call[projections_pb2.StatisticsReq]) -> None:
        options = (await _request(call)).options
        names = [options.name] if options.name else self._subsystem.names()
        with _refusals_as_failures():
            details = [_details(self._subsystem.status(name)) for name in names]
        if options.WhichOneof("mode") in ("transient", "one_time"):
            details = []
        await call.send(*[projections_pb2.StatisticsResp(details=each) for each in details])

    async def _command(self, call: Call[Any], command: Awaitable[None], response: Message) -> None:
        with _refusals_as_failures():
            await command
        await call.send(response)

    def _known(self, request: Any) -> ProjectionStatus:
        with _refusals_as_failures():
            return self._subsystem.status(request.options.name)


@contextmanager
def _refusals_as_failures() -> Iterator[None]:
    try:
        yield
    except UnknownProjection as refusal:
        raise Failure(Status.NOT_FOUND, f"Projection '{refusal.name}' not found") from refusal
    except StorageFailed as failure:
        raise Failure(Status.UNAVAILABLE, f"Server Is Not Ready: {failure}") from failure


async def _request(call: Call[Any]) -> Any:
    request = await call.receive()
    if request is None:
        raise thrown_by_handler()
    return request


def _details(status: ProjectionStatus) -> projections_pb2.StatisticsResp.Details:
    state = status.state
    condition = "Faulted" if status.fault else "Running" if state.enabled else "Stopped"
    position = f"C:{state.position}/P:{state.position}"
    return projections_pb2.StatisticsResp.Details(
        name=state.name,
        effectiveName=state.name,
        mode="Continuous",
        status=condition,
        stateReason=status.fault,
        version=state.version,
        epoch=state.epoch,
        position=position,
        lastCheckpoint=position,
        progress=status.progress,
        eventsProcessedAfterRestart=status.processed,
    )
