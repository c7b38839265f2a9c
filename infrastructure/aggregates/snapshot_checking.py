"""Tells whether a stored snapshot is of use, without loading anything from it."""

from esdbclient import RecordedEvent

from infrastructure.aggregates.segment import filters_of, segments_in
from infrastructure.aggregates.snapshot import SnapshotRule, StoredSnapshot, Unusable, snapshot_in
from infrastructure.aggregates.snapshot_streams import SnapshotStreams


async def checked(stored: SnapshotStreams, record: RecordedEvent, stream: str, rule: SnapshotRule) -> StoredSnapshot:
    """What the record says, where a load could begin at it. Raises Unusable, and what reading raises."""
    said = snapshot_in(record, stream, rule)
    segments = segments_in(await stored.segments(stream), stream) if said.commands.sealed else {}
    said.restored(rule, said.position, filters_of(segments, said.commands.sealed))
    last = await stored.record(stream, said.version)
    if last is None or last.id != said.last_id:
        raise Unusable("newer-than-stream", said.version)
    return said
