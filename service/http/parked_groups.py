"""How many messages the groups of this service have parked, counted where the event store keeps them."""

import asyncio
from collections.abc import Mapping
from typing import Final

from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.consumer_groups import parked_counts
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.group_calls import ALL
from infrastructure.eventstore.parked_stream import parked_count
from infrastructure.eventstore.streams import Streams
from service.group_owners import owner_of

_SECONDS: Final = 1.0


class ParkedGroups:
    """Those of one namespace. All of it raises StoreUnavailable; a call takes a second at most."""

    def __init__(self, client: CommandClient, streams: Streams, namespace: str) -> None:
        self._client: Final = client
        self._streams: Final = streams
        self._namespace: Final = namespace

    async def counts(self) -> Mapping[str, int]:
        """By the group's name; those of other releases are among them."""
        told = await parked_counts(self._client, _SECONDS)
        ours = [name for name in told if owner_of(ALL, name, self._namespace) is not None]
        return {name: await self.count(name, told[name]) for name in sorted(ours)}

    async def count(self, group: str, told: int) -> int:
        """Of one group; `told` is the store's own count, which is taken where the other may not be read."""
        try:
            async with asyncio.timeout(_SECONDS):
                return (await parked_count(self._streams, f"{ALL}::{group}", told)).count
        except TimeoutError as error:
            raise StoreUnavailable(self._streams.address, f"no answer within {_SECONDS:g} s") from error
