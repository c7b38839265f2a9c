"""The outcome of an append in the fields that the answers of Append and BatchAppend share."""

from typing import TypeAlias

from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.errors import WrongExpectedVersion
from infrastructure.embedded.eventstoredb.log import Appended
from infrastructure.embedded.eventstoredb.wire.proposals import expected_kind

Success: TypeAlias = streams_pb2.AppendResp.Success | streams_pb2.BatchAppendResp.Success
WrongVersion: TypeAlias = streams_pb2.AppendResp.WrongExpectedVersion | shared_pb2.WrongExpectedVersion


def fill_success(success: Success, appended: Appended) -> None:
    """The number of the last event and its position, as far as there are such."""
    if appended.last_number < 0:
        success.no_stream.SetInParent()
    else:
        success.current_revision = appended.last_number
    if appended.position is None:
        success.no_position.SetInParent()
    else:
        success.position.commit_position = success.position.prepare_position = appended.position


def fill_wrong_version(wrong: WrongVersion, error: WrongExpectedVersion, *, current: str, expected: str) -> None:
    """The two versions; a number goes into the field named `current` or `expected`, which differ in the answers."""
    if error.current < 0:
        wrong.current_no_stream.SetInParent()
    else:
        setattr(wrong, current, error.current)
    kind = expected_kind(error.expected)
    if kind is None:
        setattr(wrong, expected, error.expected)
    else:
        getattr(wrong, f"expected_{kind}").SetInParent()
