"""How the consumers of a group fare, as the event store counts them."""

from dataclasses import dataclass, field

from esdbclient.exceptions import NotFound
from esdbclient.protos.Grpc import persistent_pb2

from infrastructure.eventstore.client import CommandClient, bounded
from infrastructure.eventstore.group_calls import ALL, group_info


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
            return _state_in(await group_info(client, ALL, group, seconds))
    except NotFound:
        return None


def _state_in(info: persistent_pb2.SubscriptionInfo) -> GroupState:
    buffered = info.read_buffer_count + info.retry_buffer_count  # the live buffer keeps what was acknowledged, too
    return GroupState(
        consumers=len(info.connections),
        is_live="Live" in info.status,
        waiting=buffered + info.outstanding_messages_count,
        parked=info.parked_message_count,
        acknowledged=info.last_checkpointed_event_position,
    )
