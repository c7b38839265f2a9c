"""An errand that waits: it fetches the first of two things, and for a word to fetch the second, or until a deadline.

The word is another message with a third shelf; without one the errand is undone.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.deadline import Deadline
from domain.saga import Ask, Saga
from tests.infrastructure.sagas.errand import Errand, ErrandEvent, Errands, ThingMissing, hear, new_tag, pending
from tests.support.clock import Calendar

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE: Final = timedelta(minutes=15)
WORD: Final = "word"


def is_waiting(errand: Errand) -> bool:
    return len(errand.asked) == 2 and bool(errand.held) and not errand.undoing


def pending_patiently(errand: Errand) -> list[Ask]:
    asks = pending(errand)
    return asks if errand.undoing or len(errand.asked) != 2 else asks[: len(errand.ahead) - 1]


def deadlines(errand: Errand) -> Sequence[Deadline]:
    return [Deadline(WORD, PATIENCE)] if is_waiting(errand) else []


def on_deadline(name: str, errand: Errand) -> list[ErrandEvent]:
    return [ThingMissing(shelf_id=errand.ahead[0])] if name == WORD and is_waiting(errand) else []


def patient(saga: Saga[Errand, ErrandEvent]) -> Saga[Errand, ErrandEvent]:
    """The same saga, which waits."""
    return replace(saga, pending=pending_patiently, deadlines=deadlines, on_deadline=on_deadline)


class PatientErrands(Errands):
    """One test's patient errands, by a clock that is moved by hand."""

    def __init__(self, tag: str | None = None, time: datetime = NOON) -> None:
        super().__init__(tag or new_tag(), hear=hear)
        self.saga = patient(self.saga)
        self.calendar = Calendar(time)
        self.clock = self.calendar
