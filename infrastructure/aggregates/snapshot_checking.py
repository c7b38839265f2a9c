"""Tells whether a stored snapshot is of use, without loading anything from it."""

from esdbclient import RecordedEvent

from infrastructure.aggregates.snapshot import SnapshotRule, StoredSnapshot, Unusable, snapshot_in
from infrastructure.aggregates.snapshot_streams import SnapshotStreams
from infrastructure.aggregates.volumes import filters_of


async def checked(stored: SnapshotStreams, record: RecordedEvent, stream: str, rule: SnapshotRule) -> StoredSnapshot:
    """What the record says, where a load could begin at it. Raises Unusable, and what reading raises."""
    said = snapshot_in(record, stream, rule)
    said.restored(rule, said.position, await filters_of(stored, stream, said.commands.sealed))
    last = await stored.record(stream, said.version)
    if last is None or last.id != said.last_id:
        raise Unusable("newer-than-stream", said.version)
    return said
