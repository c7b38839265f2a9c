"""Tells whether the log is still the one that a checkpoint was folded from: a backup or a failover may change it."""

from infrastructure.eventstore.log_reader import LogReader
from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.errors import CheckpointUnusable


def require_same_log(reader: LogReader, projection: str, pattern: str, checkpoint: Checkpoint) -> int:
    """The end of the log. Raises CheckpointUnusable where the log up to the checkpoint is not what was folded.

    Two histories of one store differ from some record on, and a partition's newest record tells them apart: it stands
    at its place, and no other record of the partition between it and the checkpoint. One that was removed since, as a
    scavenge does, proves nothing.
    """
    end = reader.end()
    if checkpoint.position is None:
        return end
    _require_position(reader, projection, checkpoint.position, end)
    if checkpoint.anchor is not None and (fault := _fault(reader, pattern, checkpoint.anchor, checkpoint.position)):
        raise CheckpointUnusable(projection, fault)
    return end


def _require_position(reader: LogReader, projection: str, position: int, end: int) -> None:
    """Checks by hand: the store accepts a subscription from beyond its end, and then sends nothing."""
    if position > end:
        raise CheckpointUnusable(projection, f"the checkpoint {position} is ahead of the log, {end}")
    if not reader.holds(position):
        raise CheckpointUnusable(projection, f"the log has no position {position}")


def _fault(reader: LogReader, pattern: str, anchor: Anchor, position: int) -> str | None:
    """What does not fit the anchor. Two records are enough to tell: the first may be the anchor itself."""
    if anchor.position is not None and not reader.holds(anchor.position, anchor.event_id):
        return f"the log has another history: at {anchor.position} it does not hold the event {anchor.event_id}"
    after = -1 if anchor.position is None else anchor.position
    for record in reader.records(pattern, first=anchor.position, limit=2):
        if after < (record.position or 0) <= position:
            return f"the log has another history: the event at {record.position} was never folded"
    return None
