"""The end of an instance of a saga: the events that bring it, what each means, and the rule for late messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from domain.message import Event

StateT = TypeVar("StateT")
EventT = TypeVar("EventT", bound=Event)
End: TypeAlias = Literal["completed", "compensated"]
"""All was done that was to be; or it was not to be had, and what had been done of it is undone."""


@dataclass(frozen=True)
class Ending(Generic[StateT, EventT]):
    """`events` are those of its own after which an instance is over, each with what that means.

    A message that comes after that is late. It is observed, as any other; ignored; recorded in the instance's stream,
    and no more; or answered: `on_late` turns it into events of the saga's own stream, from which something may follow
    as ever. By all rules but the first a message counts once, by what it left in the instance's stream.
    `begins_again` are those of its own events that begin another run of the same instance: a message of which such a
    one is observed is not late. Without any, a key is used once.

    Raises ValueError for an end without events, for an `on_late` without the rule that calls it, and the other way
    round.
    """

    events: Mapping[type[EventT], End]
    late: Literal["observe", "ignore", "record", "answer"] = "observe"
    on_late: Callable[[Any, StateT], list[EventT]] | None = None
    begins_again: tuple[type[EventT], ...] = ()

    def __post_init__(self) -> None:
        if not self.events:
            raise ValueError("an end is one of some events, and none is declared")
        if (self.late == "answer") != (self.on_late is not None):
            raise ValueError(f"late messages are declared as {self.late!r}: on_late is for those that are answered")

    @property
    def counts_messages(self) -> bool:
        """Whether a message that comes after the end is told from one that came before."""
        return self.late != "observe" or bool(self.begins_again)

    def after(self, over: End | None, event: Event) -> End | None:
        """How an instance has ended after a further event of its own, None for one that has not."""
        for kind, end in self.events.items():
            if isinstance(event, kind):
                return end
        return None if isinstance(event, self.begins_again) else over

    def is_over(self, name: str, over: bool) -> bool:
        """`after` where a record's type is all that can be read: whether it has ended; `over`: it had before that."""
        if any(name in event.stored_names() for event in self.events):
            return True
        return over and not any(name in event.stored_names() for event in self.begins_again)
