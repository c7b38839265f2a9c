"""All persistent subscriptions of a store, whoever made them: how they fare, who consumes them, their settings."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from esdbclient.exceptions import NotFound
from esdbclient.protos.Grpc import persistent_pb2, shared_pb2

from infrastructure.eventstore.client import CommandClient, bounded
from infrastructure.eventstore.group_calls import ALL, group_call, group_info, named

_SECONDS: Final = 5.0
_AT_ONCE: Final = 16
_PLACE: Final = re.compile(r"(?:C:)?([0-9]+)(?:/P:[0-9]+)?")


@dataclass(frozen=True, slots=True)
class GroupConsumer:
    """A consumer that is connected now; `free` is how many messages more it takes before it answers."""

    name: str
    address: str
    user: str
    in_flight: int
    free: int
    delivered: int
    per_second: int


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """How a group was made. Times in milliseconds, counts in messages; the start as the store says it."""

    start_from: str
    consumer_strategy: str
    resolve_links: bool
    extra_statistics: bool
    message_timeout_ms: int
    max_retry_count: int
    max_subscriber_count: int
    min_checkpoint_count: int
    max_checkpoint_count: int
    checkpoint_after_ms: int
    read_batch_size: int
    history_buffer_size: int
    live_buffer_size: int


@dataclass(frozen=True, slots=True)
class ConsumerGroup:
    """A group of consumers that share what `source`, a stream or `$all`, holds; all of it in the store's words.

    `checkpointed` and `known` are places there, the last of which all before is done and the last that the group knows
    of, empty where there is none. `buffered` messages wait for a consumer, `retries` for the next delivery, `in_flight`
    are with consumers. `parked` is the store's own count.
    """

    source: str
    name: str
    status: str
    checkpointed: str
    known: str
    buffered: int
    retries: int
    in_flight: int
    parked: int
    delivered: int
    per_second: int
    settings: GroupSettings
    consumers: tuple[GroupConsumer, ...]

    @property
    def key(self) -> str:
        """The name that no other group has."""
        return f"{self.source}::{self.name}"

    @property
    def is_on_log(self) -> bool:
        """Whether it reads the whole log, not one stream."""
        return self.source == ALL

    @property
    def is_replaying(self) -> bool:
        """Whether the store is at delivering again what was parked."""
        return "ReplayingParkedMessages" in self.status

    @property
    def behind(self) -> int | None:
        """How far the checkpoint is behind what the group knows of: events of a stream, positions of the log.

        That is the most that can be undone: messages are acknowledged before a checkpoint is written. None where the
        store does not say both places.
        """
        places = [_PLACE.fullmatch(text) for text in (self.checkpointed, self.known)]
        done, last = (None if place is None else int(place[1]) for place in places)
        return None if done is None or last is None else max(0, last - done)


async def all_groups(client: CommandClient) -> list[ConsumerGroup]:
    """Every group with its consumers, by source and name. Raises StoreUnavailable."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def told(listed: persistent_pb2.SubscriptionInfo) -> ConsumerGroup | None:
        async with at_once:
            return await one_group(client, listed.event_source, listed.group_name)

    found = await asyncio.gather(*map(told, await _listed(client, _SECONDS)))
    return sorted(filter(None, found), key=lambda group: (group.source, group.name))


async def one_group(client: CommandClient, source: str, name: str, seconds: float = _SECONDS) -> ConsumerGroup | None:
    """A group with its consumers, None where there is none. Raises StoreUnavailable."""
    try:
        async with bounded(client, NotFound, seconds=seconds):
            return _group_in(await group_info(client, source, name, seconds))
    except NotFound:
        return None


async def parked_counts(client: CommandClient, seconds: float = _SECONDS) -> dict[str, int]:
    """How many messages each group of the whole log has parked, by its name, as the store counts them.

    Raises StoreUnavailable.
    """
    listed = await _listed(client, seconds)
    return {info.group_name: info.parked_message_count for info in listed if info.event_source == ALL}


async def replay_parked(client: CommandClient, group: ConsumerGroup, stop_at: int) -> bool:
    """Has the store deliver again what a group has parked under the numbers below `stop_at`, which is above 0.

    False where there is no such group any more. The store answers before it begins; where it is at another replay, it
    does nothing. Raises StoreUnavailable.
    """
    request = persistent_pb2.ReplayParkedReq()
    named(request.options, group.source, group.name)
    request.options.stop_at = stop_at
    try:
        async with bounded(client, NotFound, seconds=_SECONDS):
            await group_call(client, "ReplayParked", request, _SECONDS)
    except NotFound:
        return False
    return True


async def _listed(client: CommandClient, seconds: float) -> list[persistent_pb2.SubscriptionInfo]:
    request = persistent_pb2.ListReq()
    request.options.list_all_subscriptions.CopyFrom(shared_pb2.Empty())
    async with bounded(client, seconds=seconds):
        response = await group_call(client, "List", request, seconds)
    return list(response.subscriptions)


def _group_in(info: persistent_pb2.SubscriptionInfo) -> ConsumerGroup:
    return ConsumerGroup(
        source=info.event_source,
        name=info.group_name,
        status=info.status,
        checkpointed=info.last_checkpointed_event_position,
        known=info.last_known_event_position,
        buffered=info.read_buffer_count,
        retries=info.retry_buffer_count,
        in_flight=info.outstanding_messages_count,
        parked=info.parked_message_count,
        delivered=info.total_items,
        per_second=info.average_per_second,
        settings=_settings_in(info),
        consumers=tuple(map(_consumer_in, info.connections)),
    )


def _settings_in(info: persistent_pb2.SubscriptionInfo) -> GroupSettings:
    return GroupSettings(
        start_from=info.start_from,
        consumer_strategy=info.named_consumer_strategy,
        resolve_links=info.resolve_link_tos,
        extra_statistics=info.extra_statistics,
        message_timeout_ms=info.message_timeout_milliseconds,
        max_retry_count=info.max_retry_count,
        max_subscriber_count=info.max_subscriber_count,
        min_checkpoint_count=info.min_check_point_count,
        max_checkpoint_count=info.max_check_point_count,
        checkpoint_after_ms=info.check_point_after_milliseconds,
        read_batch_size=info.read_batch_size,
        history_buffer_size=info.buffer_size,
        live_buffer_size=info.live_buffer_size,
    )


def _consumer_in(connection: persistent_pb2.SubscriptionInfo.ConnectionInfo) -> GroupConsumer:
    return GroupConsumer(
        name=connection.connection_name,
        address=getattr(connection, "from"),
        user=connection.username,
        in_flight=connection.in_flight_messages,
        free=connection.available_slots,
        delivered=connection.total_items,
        per_second=connection.average_items_per_second,
    )
