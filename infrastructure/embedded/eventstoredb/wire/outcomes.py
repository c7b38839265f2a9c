"""What both calls that append say of an append that was made."""

from typing import TypeAlias

from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb.log import Appended

Success: TypeAlias = streams_pb2.AppendResp.Success | streams_pb2.BatchAppendResp.Success


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
