"""Folds the stream in which acts of operators are recorded, page by page as it grows, into what stands now."""

from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from infrastructure.eventstore.record import Record

PAGE: Final = 500
StateT = TypeVar("StateT")
StateT_co = TypeVar("StateT_co", covariant=True)
ActT = TypeVar("ActT", bound=BaseModel)
_logger = structlog.get_logger()


class ActFold(Protocol[StateT_co]):
    """What the records of one stream come to: it takes one after the other, and says what stands after them."""

    def take(self, record: Record) -> None:
        """The next record of the stream."""

    def state(self) -> StateT_co:
        """What stands now; it does not change with what is taken later."""


class RecordedActs(Generic[StateT]):
    """The acts of one stream, by folds that `begin` makes.

    `known` is None before all of them were read for the first time.
    """

    def __init__(self, stream: str, begin: Callable[[], ActFold[StateT]]) -> None:
        self.stream: Final = stream
        self._begin: Final = begin
        self._fold = begin()
        self._last: Record | None = None
        self.known: StateT | None = None

    @property
    def version(self) -> int:
        """Of the last record that was read; -1 before the first."""
        return -1 if self._last is None else self._last.version

    @property
    def first(self) -> int:
        """Where the next page begins: at the last record, so that it is seen whether it is still the same."""
        return max(0, self.version)

    def take(self, page: Sequence[Record] | None) -> bool:
        """Takes at most PAGE records from `first` on, None where there is no stream; False where more is to be read.

        Where the last record is gone, since the store is another one or an older copy, all is read anew.
        """
        records = list(page or ())
        if self._last is not None:
            if not records or records[0].id != self._last.id:
                self._last, self._fold = None, self._begin()
                return False
            del records[0]
        for record in records:
            self._last = record
            self._fold.take(record)
        if len(page or ()) >= PAGE:
            return False
        self.known = self._fold.state()
        return True


def act_in(record: Record, act: type[ActT]) -> ActT | None:
    """What is recorded; None for what can't be read, which is logged and counts as never done."""
    try:
        return act.model_validate_json(record.data)
    except ValidationError as error:
        told = {"stream": record.stream, "version": record.version, "position": record.position}
        _logger.warning("operation_unreadable", **told, reason=str(error.errors(include_url=False)[0]["msg"]))
        return None
