"""What a saga declares of time: the deadlines of a state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something to be done if the saga's state still declares it `after` so much time.

    That of a step, of the whole run, or a reminder, as its `name` says. Its time is counted from the event of the
    saga's stream at which it became declared, and is fixed there. Once passed it is over, until a state that does not
    declare it comes between; one that `recurs` begins anew each time that it passes.

    Raises ValueError for one without a name, or that has passed when it begins.
    """

    name: str
    after: timedelta
    recurs: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a deadline has a name")
        if self.after <= timedelta():
            raise ValueError(f"the deadline {self.name} is {self.after} after it begins, and should be later")


def no_deadlines(state: Any) -> Sequence[Deadline]:
    """Of a saga that waits for nothing but answers."""
    return ()


def nothing_follows(name: str, state: Any) -> list[Any]:
    """What such a saga does when a deadline passes."""
    return []
