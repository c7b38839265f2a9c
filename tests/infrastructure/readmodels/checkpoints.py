"""Checkpoints as tests expect them in Redis."""

from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.subscriptions.frames import Happened


def stored_checkpoint(
    store: str,
    position: int | None,
    newest: Happened | None = None,
    rows: int | None = 0,
    partitions: int | None = None,
) -> bytes:
    """The stored value, with the newest folded frame as its anchor, and the number of rows."""
    anchor = Anchor() if newest is None else Anchor(newest.position, newest.events[0].id)
    return str(Checkpoint(store, position, anchor, rows=rows, partitions=partitions)).encode()
