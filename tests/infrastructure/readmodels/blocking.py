"""Blocks streams as a worker does, where none runs: for tests of those who read blocks."""

from dataclasses import replace
from uuid import UUID

import redis

from domain.stream_name import stream_name
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.inventory import KEPT
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.texts import text_of
from tests.infrastructure.readmodels.tallies import AT

REASON = "ValueError: a tally is never lowered"


def block_at(version: int, position: int, waiting: int, event_id: UUID) -> Block:
    """A block at that place."""
    return Block(
        version=version,
        position=position,
        event_id=event_id,
        event_type="TallyRaised",
        error="EventNotFolded",
        reason=REASON,
        since=AT,
        tries=2,
        waiting=waiting,
    )


def make_live(connection: redis.Redis, keys: ProjectionKeys, store: str) -> PartitionKeys:
    """Stores an empty generation of one partition as the live one, as if a worker had been there."""
    generation, partition = Generation(1, 1, store), keys.partition(1, 0)
    connection.set(keys.live, generation.to_json())
    connection.set(partition.checkpoint, str(Checkpoint(store, 0, Anchor(), rows=0)))
    connection.hset(partition.sizes, KEPT, 1)
    return partition


def block_stream(
    deployed: Deployment, connection: redis.Redis, keys: PartitionKeys, category: str, tally: str, version: int
) -> Block:
    """Moves the partition's checkpoint to the end of a tally's stream, which is blocked at that version."""
    stream = stream_name(category, tally)
    with open_reader(deployed.eventstore_uri) as reader:
        records = reader.page(stream, version, 100) or ()
    first, last = records[0], records[-1]
    block = block_at(version, first.position or 0, len(records) - 1, first.id)
    stored = Checkpoint.parse(text_of(connection.get(keys.checkpoint) or b""))
    anchor, blocked = Anchor(last.position, last.id), stored.blocked + 1
    connection.hset(keys.blocked, tally, block.to_json())
    connection.set(keys.checkpoint, str(replace(stored, position=last.position, anchor=anchor, blocked=blocked)))
    return block
