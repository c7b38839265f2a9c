"""Writes tallies, remembers what it wrote where, and tells what they come to up to any position: by other code."""

import random
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

from domain.message import Event
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.tallies import Closed, Opened, Raised, Remarked, Tally


class Written(NamedTuple):
    """One event: where it lies, of which stream, and its number there."""

    position: int
    tally: str
    version: int
    event: Event


class ToldLog:
    """A log of some tallies of one category."""

    def __init__(self, uri: str, category: str, seed: int = 1) -> None:
        self._stack: Final = ExitStack()
        self._log: Final = self._stack.enter_context(Logbook(uri, category))
        self._draw: Final = random.Random(seed)
        self.tallies: Final = new_tallies(9)
        self.written: Final[list[Written]] = []
        self._versions: Final[dict[str, int]] = {}

    def write(self, number: int) -> int:
        """So many more events, of any tally; where the last lies."""
        for _ in range(number):
            tally = self._draw.choice(self.tallies)
            version = self._versions[tally] = self._versions.get(tally, -1) + 1
            event = self._event(version)
            self.written.append(Written(self._log.write(tally, event), tally, version, event))
        return self.written[-1].position

    def _event(self, version: int) -> Event:
        if version == 0:
            return Opened(owner=self._draw.choice(["ann", "bob"]))
        return self._draw.choice([*(Raised(by=by) for by in range(1, 9)), Remarked(), Closed()])

    def rows(self, until: int, after: int = -1) -> dict[str, Tally]:
        """What the events after the one position and up to the other come to."""
        rows: dict[str, Tally] = {}
        for position, tally, version, event in self.written:
            row = rows.get(tally)
            if not after < position <= until:
                continue
            if isinstance(event, Opened):
                rows[tally] = Tally(owner=event.owner, total=0, opened=position, version=version)
            elif isinstance(event, Raised) and row is not None:
                total = row.total + event.by
                rows[tally] = Tally(owner=row.owner, total=total, opened=row.opened, version=version)
            elif isinstance(event, Closed):
                rows.pop(tally, None)
        return rows

    def entries(self, owner: str, until: int) -> Sequence[tuple[str, int]]:
        """The index of an owner's tallies, newest first."""
        opened = sorted((row.opened for row in self.rows(until).values() if row.owner == owner), reverse=True)
        return [(str(position), position) for position in opened]

    def close(self) -> None:
        self._stack.close()
