"""The Append call: one atomic write, its events streamed in."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb.errors import LogError, WrongExpectedVersion
from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.storage.record import PendingRecord
from infrastructure.embedded.eventstoredb.wire import statuses
from infrastructure.embedded.eventstoredb.wire.append_results import fill_success, fill_wrong_version
from infrastructure.embedded.eventstoredb.wire.calls import Call, thrown_by_handler
from infrastructure.embedded.eventstoredb.wire.positions import END
from infrastructure.embedded.eventstoredb.wire.proposals import (
    Proposal,
    expected_kind,
    expected_version,
    stream_name,
)

AppendReq: TypeAlias = streams_pb2.AppendReq
AppendResp: TypeAlias = streams_pb2.AppendResp


def appender(log: EventLog) -> Callable[[Call[AppendReq]], Awaitable[None]]:
    """The method for a log."""

    async def append(call: Call[AppendReq]) -> None:
        try:
            stream, expected = await _target(call)
            appended = await log.append(stream, expected, await _events(call, stream))
        except WrongExpectedVersion as error:
            await call.send(AppendResp(wrong_expected_version=_wrong_version(error)))
        except LogError as error:
            raise statuses.refusal(error) from error
        else:
            response = AppendResp()
            fill_success(response.success, appended)
            await call.send(response)

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


async def _events(call: Call[AppendReq], stream: str) -> list[PendingRecord]:
    proposal = Proposal(len(stream.encode()))
    async for request in call.requests():
        if request.WhichOneof("content") != "proposed_message":
            raise thrown_by_handler()
        proposal.add(request.proposed_message)
    return proposal.events


def _wrong_version(error: WrongExpectedVersion) -> AppendResp.WrongExpectedVersion:
    wrong = AppendResp.WrongExpectedVersion()
    fill_wrong_version(wrong, error, current="current_revision", expected="expected_revision")
    _repeat_as_20_6_0(wrong, error)
    return wrong


def _repeat_as_20_6_0(wrong: AppendResp.WrongExpectedVersion, error: WrongExpectedVersion) -> None:
    """Says the same again in the fields of version 20.6."""
    if error.current < 0:
        wrong.no_stream_20_6_0.SetInParent()
    else:
        wrong.current_revision_20_6_0 = error.current
    kind = expected_kind(error.expected)
    if kind is None:
        wrong.expected_revision_20_6_0 = error.expected
    elif kind == "no_stream":
        wrong.expected_revision_20_6_0 = END
    else:
        getattr(wrong, f"{kind}_20_6_0").SetInParent()
