"""The Append call: one atomic write, its events streamed in."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.errors import LogError, WrongExpectedVersion
from infrastructure.embedded.eventstoredb.log import ANY, EXISTS, NO_STREAM, Appended, Log
from infrastructure.embedded.eventstoredb.storage.record import NewRecord
from infrastructure.embedded.eventstoredb.wire import statuses
from infrastructure.embedded.eventstoredb.wire.calls import Call, thrown_by_handler
from infrastructure.embedded.eventstoredb.wire.proposals import Proposal, expected_version, stream_name

AppendReq: TypeAlias = streams_pb2.AppendReq
AppendResp: TypeAlias = streams_pb2.AppendResp


def appender(log: Log) -> Callable[[Call[AppendReq]], Awaitable[None]]:
    """The method for a log."""

    async def append(call: Call[AppendReq]) -> None:
        try:
            appended = await log.append(*await _target(call), await _events(call))
        except WrongExpectedVersion as error:
            await call.send(AppendResp(wrong_expected_version=_wrong_version(error)))
        except LogError as error:
            raise statuses.refusal(error) from error
        else:
            await call.send(AppendResp(success=_success(appended)))

    return append


async def _target(call: Call[AppendReq]) -> tuple[str, int]:
    first = await call.receive()
    if first is None or first.WhichOneof("content") != "options":
        raise thrown_by_handler()
    options = first.options
    expected = expected_version(options.WhichOneof("expected_stream_revision"), options.revision)
    if expected is None:
        kind = "AppendReq+Types+Options+ExpectedStreamRevisionOneofCase"
        raise statuses.not_a_valid("None", kind)
    return stream_name(options.stream_identifier), expected


async def _events(call: Call[AppendReq]) -> list[NewRecord]:
    proposal = Proposal()
    async for request in call.requests():
        if request.WhichOneof("content") != "proposed_message":
            raise thrown_by_handler()
        proposal.add(request.proposed_message)
    return proposal.events


def _success(appended: Appended) -> AppendResp.Success:
    success = AppendResp.Success()
    if appended.last_number < 0:
        success.no_stream.SetInParent()
    else:
        success.current_revision = appended.last_number
    if appended.position is None:
        success.no_position.SetInParent()
    else:
        success.position.commit_position = success.position.prepare_position = appended.position
    return success


def _wrong_version(error: WrongExpectedVersion) -> AppendResp.WrongExpectedVersion:
    """Says everything twice, also in the fields of version 20.6."""
    wrong = AppendResp.WrongExpectedVersion()
    if error.current < 0:
        wrong.current_no_stream.SetInParent()
        wrong.no_stream_20_6_0.SetInParent()
    else:
        wrong.current_revision = wrong.current_revision_20_6_0 = error.current
    empty = shared_pb2.Empty()
    if error.expected == ANY:
        wrong.expected_any.CopyFrom(empty)
        wrong.any_20_6_0.CopyFrom(empty)
    elif error.expected == EXISTS:
        wrong.expected_stream_exists.CopyFrom(empty)
        wrong.stream_exists_20_6_0.CopyFrom(empty)
    elif error.expected == NO_STREAM:
        wrong.expected_no_stream.CopyFrom(empty)
        wrong.expected_revision_20_6_0 = 2**64 - 1
    else:
        wrong.expected_revision = wrong.expected_revision_20_6_0 = error.expected
    return wrong
