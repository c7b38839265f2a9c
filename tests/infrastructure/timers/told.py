"""A place to look for deadlines that says what it was given."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from projections.row_lists import sortable_time
from tests.infrastructure.timers.crowd import DUE


class Told:
    """Right or not: a source proves nothing."""

    name = "told"

    def __init__(self, *streams: str) -> None:
        self._members = [f"{sortable_time(DUE)}{stream}" for stream in streams]

    async def passed(self, now: datetime) -> AsyncIterator[Sequence[str]]:
        yield self._members
