"""Decides when a group writes a checkpoint."""

import math

from infrastructure.embedded.eventstoredb.groups.definition import Settings


class CheckpointSchedule:
    """Counts the events of the source since the group was loaded, those that a filter leaves out included."""

    def __init__(self, settings: Settings) -> None:
        self._minimum, self._maximum = settings.min_checkpoint_count, settings.max_checkpoint_count
        after = settings.checkpoint_after_ms
        self._after = after / 1000 if after > 0 else math.inf
        self._done = 0
        self._written_at: float | None = None

    def is_due(self, done: int, now: float, *, on_tick: bool) -> bool:
        """Many events are a reason at any time; fewer of them on a tick, and not too soon again."""
        more = done - self._done
        if more <= 0:
            return False
        if more >= self._maximum:
            return True
        return on_tick and more >= self._minimum and self._waited(now)

    def written(self, done: int, now: float) -> None:
        self._done, self._written_at = done, now

    def _waited(self, now: float) -> bool:
        if math.isinf(self._after):
            return False
        return self._written_at is None or now - self._written_at >= self._after
