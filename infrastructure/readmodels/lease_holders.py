"""Tells who holds the leases of partitions, and for how long yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.servers import Servers
from infrastructure.readmodels.texts import text_of


@dataclass(frozen=True, slots=True)
class Holder:
    """A worker by its name, and for how many seconds the lease is its own yet if it does not renew it."""

    worker: str
    seconds: float


async def holders_of(servers: Servers, several: Sequence[PartitionKeys]) -> list[Holder | None]:
    """Of each partition of a namespace, in this order; None where nobody holds a lease. Raises RedisError.

    What is no string, or never expires, is no lease: the next worker that asks removes it.
    """
    if not several:
        return []
    server = await servers.at(several[0].lease)
    async with server.pipeline(transaction=False) as pipeline:
        for keys in several:
            pipeline.get(keys.lease)
            pipeline.pttl(keys.lease)
        replies: Sequence[Any] = await pipeline.execute(raise_on_error=False)
    return [_holder(*found) for found in zip(replies[::2], replies[1::2], strict=True)]


def _holder(worker: Any, milliseconds: Any) -> Holder | None:
    if isinstance(milliseconds, Exception):
        raise milliseconds
    if not isinstance(worker, bytes | str) or milliseconds <= 0:
        return None
    return Holder(text_of(worker), milliseconds / 1000)
