"""The end of an instance of a saga, and what becomes of a message that comes after it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from domain.message import Event

StateT = TypeVar("StateT")
EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True)
class Ending(Generic[StateT, EventT]):
    """`ended` says whether a state is the end.

    A message that comes after it is late. It is ignored; or recorded in the instance's stream, and no more; or
    answered: `on_late` turns it into events of the saga's own stream, from which something may follow as ever.
    A message of one of the types `begins_again` is not late: it is observed, and begins the instance's next run, once.
    Without any, a key is used once.

    Raises ValueError for an `on_late` without the rule that calls it, and the other way round.
    """

    ended: Callable[[StateT], bool]
    late: Literal["ignore", "record", "answer"]
    on_late: Callable[[Any, StateT], list[EventT]] | None = None
    begins_again: tuple[type[Event], ...] = ()

    def __post_init__(self) -> None:
        if (self.late == "answer") != (self.on_late is not None):
            raise ValueError(f"late messages are declared as {self.late!r}: on_late is for those that are answered")
