"""Reads of a live generation: each partition's answers together with the checkpoint they belong to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import redis
from redis.asyncio import Redis

from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.generations import Generation
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.partition_result import PartitionResult
from infrastructure.readmodels.selection import Answers, Commands, Selection

READ_SECONDS: Final = 5.0
_FLIPS: Final = 3  # generations that may come and go under one read


async def read_live(
    connection: Redis, keys: ProjectionKeys, selection: Selection, seconds: float = READ_SECONDS
) -> Sequence[PartitionResult[Answers]]:
    """What the selection asks, of the generation that is live, within so many seconds. Raises ReadModelUnavailable.

    A partition without a checkpoint holds nothing that could be trusted: either the generation was replaced since we
    read the pointer, or its keys are lost.
    """
    async with available(keys.projection, seconds):
        for _ in range(_FLIPS):
            generation = Generation.from_json(await connection.get(keys.live))
            if generation is None:
                raise ReadModelUnavailable(keys.projection, "no generation is complete")
            asked = selection(generation).items()
            parts = await asyncio.gather(*(_part(connection, keys, generation, *each) for each in asked))
            whole = [part for part in parts if part is not None]
            if len(whole) == len(parts):
                return whole
    raise ReadModelUnavailable(keys.projection, "the live generation has lost a checkpoint")


@asynccontextmanager
async def available(projection: str, seconds: float = READ_SECONDS) -> AsyncIterator[None]:
    """Turns what Redis raises, and silence of so many seconds, into ReadModelUnavailable."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ReadModelUnavailable(projection, f"Redis did not answer within {seconds:.3g} s") from error
    except redis.RedisError as error:
        raise ReadModelUnavailable(projection, f"Redis: {error}") from error


async def _part(
    connection: Redis, keys: ProjectionKeys, generation: Generation, partition: int, commands: Commands
) -> PartitionResult[Answers] | None:
    """The answers and the checkpoint in one transaction; None where there is no checkpoint."""
    partition_keys = keys.partition(generation.number, partition)
    async with connection.pipeline(transaction=True) as pipeline:
        pipeline.get(partition_keys.checkpoint)
        commands(pipeline, partition_keys)
        stored, *answers = await pipeline.execute()
    if stored is None:
        return None
    return PartitionResult(generation, partition, Checkpoint.parse(stored.decode()).position, answers)
