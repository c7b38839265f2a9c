"""Writes to a few tallies in turns, also while the event store is killed under it."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from random import Random
from typing import Final

import structlog

from domain.message import Event
from domain.stream_name import stream_name
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.readmodels.logbook import CODEC, new_tallies
from tests.infrastructure.readmodels.tallies import METADATA, Closed, Opened, Raised, Remarked
from tests.support.polling import poll_until

_OWNERS: Final = ("ann", "bob", "zoë")
_TALLIES: Final = 16  # that are written to at the same time
_SECONDS: Final = 60.0
_DELETED: Final = 0.02
_REPLACED: Final = 0.01
"""How many appends of all are followed by a deletion of the stream, and by another stream in its place."""
_logger = structlog.get_logger()


class Appender:
    """What a killed store made of an append is not its concern: the log tells."""

    def __init__(self, uri: str, category: str, seed: int, *, refused: int = 0) -> None:
        """Of a hundred events or so, so many are `refused` by a handler."""
        self._uri: Final = uri
        self._category: Final = category
        self._random: Final = Random(seed)
        self._weights: Final = (18, 72, 6, 6, refused)
        self._tallies: Final = new_tallies(_TALLIES)
        self._closing = ExitStack()
        self._operator: Operator | None = None
        self.appended = 0
        self.failed = 0

    def run(self, appends: int) -> None:
        """So many appends, one after the other."""
        for _ in range(appends):
            self._append_somewhere()
            self.appended += 1

    def begin(self, appends: int) -> threading.Thread:
        """The same in a thread."""
        thread = threading.Thread(target=self.run, args=(appends,), daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Ends the connection; the next append makes another."""
        self._closing.close()
        self._operator = None

    def _append_somewhere(self) -> None:
        place = self._random.randrange(_TALLIES)
        stream = stream_name(self._category, self._tallies[place])
        records = [CODEC.encode(event, METADATA) for event in self._events()]
        fate = self._random.random()
        self._insist(lambda operator: operator.append(stream, *records))
        if fate < _DELETED:
            self._insist(lambda operator: operator.delete(stream))
        if fate < _REPLACED:
            self._tallies[place] = new_tallies(1)[0]

    def _insist(self, act: Callable[[Operator], object]) -> None:
        """Again until a store takes it. What had no answer may be done twice: the fold reads that in the log, too."""
        poll_until(lambda: self._tried(act), seconds=_SECONDS, what="an answer of the event store")

    def _tried(self, act: Callable[[Operator], object]) -> bool:
        try:
            if self._operator is None:
                self._operator = self._closing.enter_context(operating(self._uri))
            act(self._operator)
        except Exception as error:  # noqa: BLE001 - whatever becomes of a call to a store that is killed
            self.close()
            self.failed += 1
            _logger.debug("append_failed", error=type(error).__name__)
            return False
        return True

    def _events(self) -> list[Event]:
        """Mostly a few raises; Redis and the fold are told the same whether the tally is open or not."""
        named = ("open", "raise", "close", "remark", "lower")
        kinds = self._random.choices(named, self._weights, k=self._random.randint(1, 3))
        made: dict[str, Event] = {
            "open": Opened(owner=self._random.choice(_OWNERS)),
            "raise": Raised(by=self._random.randint(1, 99)),
            "close": Closed(),
            "remark": Remarked(),
            "lower": Raised(by=-1),
        }
        return [made[kind] for kind in kinds]
