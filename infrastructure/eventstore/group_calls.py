"""The calls about persistent subscriptions that the client leaves out, or the answers that it cuts short."""

from typing import Any, Final, Literal, TypeAlias

import grpc
from esdbclient.common import handle_rpc_error
from esdbclient.protos.Grpc import persistent_pb2, shared_pb2

from infrastructure.eventstore.client import CommandClient, connection_of

ALL: Final = "$all"
"""Where a group reads that is made on the whole log."""
NamingOptions: TypeAlias = persistent_pb2.GetInfoReq.Options | persistent_pb2.ReplayParkedReq.Options


async def group_call(
    client: CommandClient, method: Literal["GetInfo", "List", "ReplayParked"], request: Any, seconds: float
) -> Any:
    """The response, from the leader. Raises what the client raises; it is sent once."""
    stub = connection_of(client).persistent_subscriptions._stub
    try:
        return await getattr(stub, method)(
            request,
            timeout=seconds,
            metadata=(*client._call_metadata, ("requires-leader", "true")),
            credentials=client._call_credentials,
        )
    except grpc.RpcError as error:
        raise handle_rpc_error(error) from error


def named(options: NamingOptions, source: str, name: str) -> NamingOptions:
    """The options with the group put in that is meant: one of a stream, or of the whole log."""
    options.group_name = name
    if source == ALL:
        options.all.CopyFrom(shared_pb2.Empty())
    else:
        options.stream_identifier.stream_name = source.encode()
    return options


async def group_info(client: CommandClient, source: str, name: str, seconds: float) -> persistent_pb2.SubscriptionInfo:
    """What the store tells of a group. Raises what the client raises, NotFound where there is none."""
    request = persistent_pb2.GetInfoReq()
    named(request.options, source, name)
    response = await group_call(client, "GetInfo", request, seconds)
    info: persistent_pb2.SubscriptionInfo = response.subscription_info
    return info
