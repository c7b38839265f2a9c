"""Looks after what the groups of this service have parked, whose messages wait for an operator."""

from collections.abc import Awaitable, Mapping
from typing import Final

from infrastructure.eventstore.errors import StoreUnavailable
from service.health.checks import Check, wrong
from service.http.connections import Connections


class ParkedCheck:
    """`counts` is how many messages each group has parked, by its name, as far as the last look found out."""

    def __init__(self, connections: Connections) -> None:
        self._connections: Final = connections
        self.counts: Mapping[str, int] = {}

    async def check(self, store_fault: Awaitable[str | None]) -> Check:
        """`blocked` where any group has parked a message; a store that is away is not asked."""
        if (fault := await store_fault) is not None:
            self.counts = {}
            return wrong("away", fault)
        try:
            self.counts = await self._connections.parked_groups.counts()
        except StoreUnavailable as error:
            self.counts = {}
            return wrong("away", error.reason)
        return of_parked(self.counts)


def of_parked(counts: Mapping[str, int]) -> Check:
    """The check, by how many messages each group has parked."""
    said = [f"{count:,} of {group}" for group, count in counts.items() if count]
    if not said:
        return Check(ok=True)
    return wrong("blocked", f"messages are parked: {', '.join(said)}; `foldstream parked show` tells why")
