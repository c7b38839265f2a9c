"""Reads the live generation of a read model: the replies of each partition with the checkpoint they belong to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, NamedTuple

import redis
from redis.asyncio.client import Pipeline

from domain.stream_name import row_key_of
from infrastructure.eventstore.stream_patterns import partition_of
from infrastructure.readmodels.block_readers import BlockedStream, block_in
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.errors import NewerFormat, ReadModelUnavailable
from infrastructure.readmodels.inventory import KEPT, missing
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.partition_queries import PartitionQuery, Query, Replies
from infrastructure.readmodels.partition_result import PartitionResult
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.servers import Servers, read_from
from infrastructure.readmodels.slot_reads import read_key, read_slot

READ_SECONDS: Final = 5.0
_NO_STREAM: Final = ""
_FLIPS: Final = 3  # generations that may come and go under one read


async def read_live(
    servers: Servers, keys: ProjectionKeys, query: Query, seconds: float = READ_SECONDS, *, of: str | None = None
) -> Sequence[PartitionResult[Replies]]:
    """What the live generation replies to the query, within so many seconds. Raises ReadModelUnavailable.

    Also where it is of another version than `keys` is for. `of` is the stream that the query is about, where it is
    about one: the result of its partition says whether that is blocked.

    Where a connection turns out to be closed, or a slot of a cluster to have moved, the query is repeated once.

    A partition without a checkpoint holds nothing that could be trusted: either the generation was replaced since the
    pointer was read, or its keys are lost.
    """
    async with available(keys.projection, seconds):
        return await read_from(servers, lambda: _read(servers, keys, query, of))


async def read_checkpoint(
    servers: Servers, keys: ProjectionKeys, generation: Generation, partition: int
) -> Checkpoint | None:
    """The checkpoint of a partition; None where its generation is not the live one, or lost. Raises
    ReadModelUnavailable."""
    places = (keys.live, keys.partition(generation.number, partition).checkpoint)
    async with available(keys.projection):
        live, stored = await read_from(servers, lambda: asyncio.gather(*(read_key(servers, each) for each in places)))
        if stored is None or Generation.from_json(live) != generation:
            return None
        return Checkpoint.parse(stored.decode())


async def _read(
    servers: Servers, keys: ProjectionKeys, query: Query, of: str | None
) -> Sequence[PartitionResult[Replies]]:
    for _ in range(_FLIPS):
        generation = live_in(keys, await read_key(servers, keys.live))
        keys_of = partial(keys.partition, generation.number)
        if (results := await read_generation(servers, generation, keys_of, query, of)) is not None:
            return results
    raise ReadModelUnavailable(keys.projection, "the live generation has lost a checkpoint")


async def read_generation(
    servers: Servers,
    generation: Generation,
    keys_of: Callable[[int], PartitionKeys],
    query: Query,
    of: str | None = None,
) -> Sequence[PartitionResult[Replies]] | None:
    """What the partitions of a generation reply, each under its keys; None where one has no checkpoint.

    `of` is as for `read_live`. Raises ReadModelUnavailable where a part is lost, and RedisError.
    """
    queries = query(generation).items()
    found = await asyncio.gather(*(_result(servers, keys_of(each), generation, own, of) for each, own in queries))
    results = [result for result in found if result is not None]
    return results if len(results) == len(found) else None


def live_in(keys: ProjectionKeys, stored: bytes | str | None) -> Generation:
    """The live generation as its pointer is stored. Raises ReadModelUnavailable where there is none of this version."""
    generation = Generation.from_json(stored)
    if generation is None:
        raise ReadModelUnavailable(keys.projection, "no generation is complete")
    if generation.version != keys.version:
        reason = other_version(live=generation.version, own=keys.version)
        raise ReadModelUnavailable(keys.projection, reason, other_version=True)
    return generation


def other_version(*, live: int, own: int) -> str:
    """Why a generation of another version than the own one is not read."""
    if live < own:
        return f"its version {own} is being built, version {live} is live until then"
    return f"a later release has taken over with version {live}, this release has version {own}"


@asynccontextmanager
async def available(projection: str, seconds: float = READ_SECONDS) -> AsyncIterator[None]:
    """Raises ReadModelUnavailable for what Redis raises, and where it does not answer within so many seconds.

    And for a pointer, checkpoint or report that can't be read, as one of a later release.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ReadModelUnavailable(projection, f"Redis did not answer within {seconds:.3g} s") from error
    except redis.RedisError as error:
        raise ReadModelUnavailable(projection, f"Redis: {error}") from error
    except (NewerFormat, ValueError) as error:
        raise ReadModelUnavailable(projection, str(error)) from error


async def _result(
    servers: Servers, keys: PartitionKeys, generation: Generation, query: PartitionQuery, of: str | None
) -> PartitionResult[Replies] | None:
    """The replies and the checkpoint, of one moment; None where there is no checkpoint.

    Only a partition with blocked streams is asked about them: it is read once more for that.
    """
    own = None if of is None or partition_of(of, generation.partitions) != keys.partition else of
    read = partial(_read_partition, servers, keys, query)
    found = await read(None)
    if found is not None and found.checkpoint.blocked:
        found = await read(_NO_STREAM if own is None else row_key_of(own))
    if found is None:
        return None
    if (loss := missing(found.checkpoint, found.listed, found.sizes_kept, found.blocked)) is not None:
        raise ReadModelUnavailable(keys.projection, f"Redis has lost a part: {loss}")
    blocked = None if own is None or found.block is None else BlockedStream(own, block_in(found.block))
    return PartitionResult(generation, keys.partition, found.checkpoint, found.replies, blocked=blocked)


class _Found(NamedTuple):
    """What one transaction has read: what the inventory is compared with, the `block` of a stream, and the replies."""

    checkpoint: Checkpoint
    listed: int
    sizes_kept: bool
    blocked: int
    block: bytes | None
    replies: Replies


async def _read_partition(
    servers: Servers, keys: PartitionKeys, query: PartitionQuery, blocked_id: str | None
) -> _Found | None:
    """Reads blocks where an id is given, and that of this aggregate; else there are said to be none."""

    def put(pipeline: Pipeline) -> None:
        pipeline.zcard(keys.ids)
        pipeline.hexists(keys.sizes, KEPT)
        if blocked_id is not None:
            pipeline.hlen(keys.blocked)
            pipeline.hget(keys.blocked, blocked_id)
        query(pipeline, keys)

    stored, listed, sizes_kept, *replies = await read_slot(servers, keys.checkpoint, put)
    if stored is None:
        return None
    blocked, block = (0, None) if blocked_id is None else (replies.pop(0), replies.pop(0))
    return _Found(Checkpoint.parse(stored.decode()), listed, sizes_kept, blocked, block, replies)
