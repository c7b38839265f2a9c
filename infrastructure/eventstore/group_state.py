"""How the consumers of a group fare, as the event store counts them."""

from dataclasses import dataclass, field

import grpc
from esdbclient.common import handle_rpc_error
from esdbclient.connection import AsyncESDBConnection
from esdbclient.exceptions import NotFound
from esdbclient.protos.Grpc import persistent_pb2, shared_pb2

from infrastructure.eventstore.client import CommandClient, bounded, connection_of


@dataclass(frozen=True, slots=True)
class GroupState:
    """`consumers` are connected now; `waiting` messages are known to the store and not acknowledged, `parked` set
    aside for an operator. `is_live` where the store has read all of the log that there is for the group.
    `acknowledged` is the place up to which all of its messages are, in the store's own words."""

    consumers: int
    is_live: bool
    waiting: int
    parked: int
    acknowledged: str = field(default="", compare=False)


async def group_state(client: CommandClient, group: str, seconds: float) -> GroupState | None:
    """The state of a group on the whole log, None where there is no such group. Raises StoreUnavailable."""
    try:
        async with bounded(client, NotFound, seconds=seconds):
            return _state_in(await _asked(connection_of(client), client, group, seconds))
    except NotFound:
        return None


async def _asked(
    connection: AsyncESDBConnection, client: CommandClient, group: str, seconds: float
) -> persistent_pb2.SubscriptionInfo:
    """By the bare call: the client's own leaves out who is connected, and tries again."""
    request = persistent_pb2.GetInfoReq(
        options=persistent_pb2.GetInfoReq.Options(group_name=group, all=shared_pb2.Empty())
    )
    try:
        response = await connection.persistent_subscriptions._stub.GetInfo(
            request,
            timeout=seconds,
            metadata=(*client._call_metadata, ("requires-leader", "true")),
            credentials=client._call_credentials,
        )
    except grpc.RpcError as error:
        raise handle_rpc_error(error) from error
    info: persistent_pb2.SubscriptionInfo = response.subscription_info
    return info


def _state_in(info: persistent_pb2.SubscriptionInfo) -> GroupState:
    buffered = info.read_buffer_count + info.retry_buffer_count  # the live buffer keeps what was acknowledged, too
    return GroupState(
        consumers=len(info.connections),
        is_live="Live" in info.status,
        waiting=buffered + info.outstanding_messages_count,
        parked=info.parked_message_count,
        acknowledged=info.last_checkpointed_event_position,
    )
