"""The persistent subscription that a saga's workers compete on."""

import re
from typing import Any, Final

from esdbclient import AsyncEventStoreDBClient
from esdbclient.common import AbstractAsyncPersistentSubscription
from esdbclient.exceptions import AlreadyExists, FailedPrecondition, NotFound, SubscriptionConfirmationError

from domain.saga import Saga
from infrastructure.eventstore.client import address_of, bounded, raise_if_cancelled
from infrastructure.eventstore.errors import StoreUnavailable

_OUT_OF_REACH: Final = 2**31 - 1
_SECONDS: Final = 5.0


def pattern_of(saga: Saga[Any, Any]) -> str:
    """One regular-expression group that matches the stored names of what wakes the saga, the older ones too."""
    names = sorted({name for event in saga.reacts_to for name in event.stored_names()})
    return f"(?:{'|'.join(re.escape(name) for name in names)})"


async def join_group(
    client: AsyncEventStoreDBClient, group: str, pattern: str, buffer: int
) -> AbstractAsyncPersistentSubscription:
    """One worker's subscription to the group, which is made where it is missing, from the beginning of the log.

    At most `buffer` messages are with the worker at once. Raises StoreUnavailable.
    """
    try:
        return await _join(client, group, buffer)
    except NotFound:
        await _create(client, group, pattern)
    try:
        return await _join(client, group, buffer)
    except NotFound as error:
        raise StoreUnavailable(address_of(client), f"the group {group} vanished as soon as it was made") from error


async def _join(client: AsyncEventStoreDBClient, group: str, buffer: int) -> AbstractAsyncPersistentSubscription:
    async with bounded(client, seconds=_SECONDS):
        try:
            return await client.read_subscription_to_all(group, event_buffer_size=buffer, max_ack_delay=0.05)
        except StopAsyncIteration as error:  # how the client ends when it was cancelled before the confirmation
            raise_if_cancelled()
            raise StoreUnavailable(address_of(client), f"the group {group} was not confirmed") from error
        except (FailedPrecondition, SubscriptionConfirmationError) as error:  # as many workers as it takes, or none
            raise StoreUnavailable(address_of(client), f"the group {group} can't be joined: {error}") from error


async def _create(client: AsyncEventStoreDBClient, group: str, pattern: str) -> None:
    """The server's own parking is put out of reach: it counts the deaths of workers, which are no failures."""
    try:
        async with bounded(client, seconds=_SECONDS):
            await client.create_subscription_to_all(
                group,
                filter_include=(pattern,),
                consumer_strategy="RoundRobin",
                message_timeout=60.0,
                max_retry_count=_OUT_OF_REACH,
                min_checkpoint_count=1,
                checkpoint_after=1.0,
                max_subscriber_count=0,
                timeout=_SECONDS,
            )
    except AlreadyExists:
        return  # another worker was faster
