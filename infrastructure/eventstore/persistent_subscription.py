"""A persistent subscription to the log that several workers compete on: made, joined, settled message by message."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final, NamedTuple, cast
from uuid import UUID

from esdbclient.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    NotFound,
    ProgrammingError,
    SubscriptionConfirmationError,
)
from esdbclient.persistent import AsyncPersistentSubscription, BaseSubscriptionReadReqs
from esdbclient.protos.Grpc import persistent_pb2

from infrastructure.eventstore.client import CommandClient, address_of, bounded, raise_if_cancelled, translated
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.record import Record, record_of

_OUT_OF_REACH: Final = 2**31 - 1
_SECONDS: Final = 5.0
_PARK: Final = "park:"
_LONGEST: Final = 1_000  # characters of a reason


class Delivered(NamedTuple):
    """A record as it was delivered, known to the server as `ack_id`; `retries` deliveries before were not settled."""

    record: Record
    ack_id: UUID
    retries: int = 0


class PersistentSubscription:
    """One worker's part of a group: an iterator of what is delivered. Raises StoreUnavailable where it is lost."""

    def __init__(self, address: str, subscription: AsyncPersistentSubscription) -> None:
        self.id: Final = subscription.subscription_id
        self.address: Final = address
        self._subscription: Final = subscription
        self._requests: Final = subscription._read_reqs
        self._requests._construct_ack_or_nack_read_req = _request  # type: ignore[method-assign]  # it knows no reasons

    async def __aiter__(self) -> AsyncIterator[Delivered]:
        with translated(self.address):
            async for recorded in self._subscription:
                yield Delivered(record_of(recorded), recorded.ack_id, recorded.retry_count or 0)
        raise_if_cancelled()

    async def acknowledge(self, delivered: Delivered) -> bool:
        """Settles it; False where the subscription was stopped: it comes again."""
        try:
            await self._subscription.ack(delivered.ack_id)
        except ProgrammingError:
            return False
        return True

    async def give_back(self, delivered: Delivered) -> bool:
        """Has the server deliver it again, to the next worker in turn; False as above."""
        try:
            await self._subscription.nack(delivered.ack_id, "retry")
        except ProgrammingError:
            return False
        return True

    async def park(self, delivered: Delivered, reason: str) -> bool:
        """Sets it aside, for an operator, who is shown the reason; False as above."""
        requests = self._requests
        if requests._is_poisoned:
            return False
        await requests._ack_queue.put((delivered.ack_id, _PARK + reason[:_LONGEST]))
        return True

    async def stop(self) -> None:
        """Ends it, after what was acknowledged was sent; on a connection that is dead that may take for ever."""
        await self._subscription.stop()


async def join_group(
    client: CommandClient, group: str, pattern: str, start: int | None, buffer: int
) -> PersistentSubscription:
    """One worker's subscription to the records whose types match.

    The group is made where it is missing, from the record at position `start` on, None: from the beginning of the log.
    The log must hold a record there, or have held one. At most `buffer` messages are with the worker
    at once. Raises StoreUnavailable.
    """
    try:
        return await _join(client, group, buffer)
    except NotFound:
        await _create(client, group, pattern, start)
    try:
        return await _join(client, group, buffer)
    except NotFound as error:
        raise StoreUnavailable(address_of(client), f"the group {group} vanished as soon as it was made") from error


async def delete_group(client: CommandClient, group: str) -> None:
    """Deletes a group of the whole log, if it is there, with what it has parked. Raises StoreUnavailable."""
    with suppress(NotFound):
        async with bounded(client, NotFound, seconds=_SECONDS):
            await client.delete_subscription(group, timeout=_SECONDS)


def _request(subscription_id: bytes, event_ids: list[UUID], action: str) -> persistent_pb2.ReadReq:
    """The client's own, with the reason for which messages are parked. It sends together what has the same action."""
    known, _, reason = action.partition(":")
    request = BaseSubscriptionReadReqs._construct_ack_or_nack_read_req(subscription_id, event_ids, known)
    if reason:
        request.nack.reason = reason
    return request


async def _join(client: CommandClient, group: str, buffer: int) -> PersistentSubscription:
    address = address_of(client)
    answers = (NotFound, FailedPrecondition, SubscriptionConfirmationError)
    try:
        async with bounded(client, *answers, seconds=_SECONDS):
            joined = await client.read_subscription_to_all(group, event_buffer_size=buffer, max_ack_delay=0.05)
    except StopAsyncIteration as error:  # how the client ends when it was cancelled before the confirmation
        raise_if_cancelled()
        raise StoreUnavailable(address, f"the group {group} was not confirmed") from error
    except (FailedPrecondition, SubscriptionConfirmationError) as error:  # as many workers as it takes, or none
        raise StoreUnavailable(address, f"the group {group} can't be joined: {error}") from error
    return PersistentSubscription(address, cast("AsyncPersistentSubscription", joined))


async def _create(client: CommandClient, group: str, pattern: str, start: int | None) -> None:
    """The server's own parking is put out of reach: it counts the deaths of workers, which are no failures."""
    try:
        async with bounded(client, AlreadyExists, seconds=_SECONDS):
            await client.create_subscription_to_all(
                group,
                commit_position=start or 0,  # the first record has a higher one
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
