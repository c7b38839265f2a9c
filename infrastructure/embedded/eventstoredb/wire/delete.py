"""The Delete and Tombstone calls."""

from collections.abc import Awaitable, Callable

from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb.errors import LogError
from infrastructure.embedded.eventstoredb.wire import statuses
from infrastructure.embedded.eventstoredb.wire.calls import Call, thrown_by_handler
from infrastructure.embedded.eventstoredb.wire.proposals import expected_version, stream_name

Request = streams_pb2.DeleteReq | streams_pb2.TombstoneReq
Response = type[streams_pb2.DeleteResp] | type[streams_pb2.TombstoneResp]


def deleter(
    remove: Callable[[str, int], Awaitable[int]], response: Response
) -> Callable[[Call[streams_pb2.DeleteReq]], Awaitable[None]]:
    """The method that removes a stream in one of the two ways."""

    async def delete(call: Call[streams_pb2.DeleteReq]) -> None:
        request = await call.receive()
        if request is None:
            raise thrown_by_handler()
        try:
            position = await remove(*_target(request))
        except LogError as error:
            raise statuses.refusal(error) from error
        answer = response()
        answer.position.commit_position = answer.position.prepare_position = position
        await call.send(answer)

    return delete


def _target(request: Request) -> tuple[str, int]:
    options = request.options
    expected = expected_version(options.WhichOneof("expected_stream_revision"), options.revision)
    if expected is None:
        kind = f"{type(request).__name__}+Types+Options+ExpectedStreamRevisionOneofCase"
        raise statuses.not_a_valid("None", kind)
    return stream_name(options.stream_identifier), expected
