"""Reads the live generation of a read model: the replies of each partition with the checkpoint they belong to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import redis
from redis.asyncio import Redis

from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.errors import NewerFormat, ReadModelUnavailable
from infrastructure.readmodels.generations import Generation
from infrastructure.readmodels.inventory import KEPT, missing
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.partition_queries import PartitionQuery, Query, Replies
from infrastructure.readmodels.partition_result import PartitionResult

READ_SECONDS: Final = 5.0
_FLIPS: Final = 3  # generations that may come and go under one read


async def read_live(
    connection: Redis, keys: ProjectionKeys, query: Query, seconds: float = READ_SECONDS
) -> Sequence[PartitionResult[Replies]]:
    """What the live generation replies to the query, within so many seconds. Raises ReadModelUnavailable.

    Where a connection turns out to be closed, the query is repeated once, on a fresh one.

    A partition without a checkpoint holds nothing that could be trusted: either the generation was replaced since the
    pointer was read, or its keys are lost.
    """
    async with available(keys.projection, seconds):
        try:
            return await _read(connection, keys, query)
        except redis.ConnectionError:
            # Redis closes what idles for its `timeout`, or has failed over: the others of the pool are as old
            await connection.connection_pool.disconnect(inuse_connections=False)
            return await _read(connection, keys, query)


async def _read(connection: Redis, keys: ProjectionKeys, query: Query) -> Sequence[PartitionResult[Replies]]:
    for _ in range(_FLIPS):
        generation = Generation.from_json(await connection.get(keys.live))
        if generation is None:
            raise ReadModelUnavailable(keys.projection, "no generation is complete")
        queries = query(generation).items()
        found = await asyncio.gather(*(_result(connection, keys, generation, *each) for each in queries))
        results = [result for result in found if result is not None]
        if len(results) == len(found):
            return results
    raise ReadModelUnavailable(keys.projection, "the live generation has lost a checkpoint")


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
    connection: Redis, keys: ProjectionKeys, generation: Generation, partition: int, query: PartitionQuery
) -> PartitionResult[Replies] | None:
    """The replies and the checkpoint, in one transaction; None where there is no checkpoint."""
    partition_keys = keys.partition(generation.number, partition)
    async with connection.pipeline(transaction=True) as pipeline:
        pipeline.get(partition_keys.checkpoint)
        pipeline.zcard(partition_keys.ids)
        pipeline.hexists(partition_keys.sizes, KEPT)
        query(pipeline, partition_keys)
        stored, listed, sizes_kept, *replies = await pipeline.execute()
    if stored is None:
        return None
    checkpoint = Checkpoint.parse(stored.decode())
    if (loss := missing(checkpoint, listed, sizes_kept)) is not None:
        raise ReadModelUnavailable(keys.projection, f"Redis has lost a part: {loss}")
    return PartitionResult(generation, partition, checkpoint, replies)
