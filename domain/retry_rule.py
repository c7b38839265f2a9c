"""What a saga declares of a step that its target refuses: how often it is asked for, and what comes then."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

_LONGEST: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class RetryRule:
    """A step is asked for `times` in all, after pauses that double from `first` to `longest`.

    `final` are the rules whose refusals end that at once. Then the saga says what follows (`undo`, by its `on_failed`),
    or the instance stands still until somebody has it go on. A store that is away, or contended, counts for nothing.
    An undoing that is refused should `stand`: so it is not dropped.

    Raises ValueError for numbers that make no sense, and for more than two minutes of pauses, in which the message is
    held: what takes longer is a deadline's.
    """

    times: int
    first: timedelta = timedelta(milliseconds=100)
    longest: timedelta = timedelta(seconds=10)
    final: frozenset[str] = frozenset()
    exhausted: Literal["undo", "stand"] = "stand"

    def __post_init__(self) -> None:
        if self.times < 1:
            raise ValueError(f"a step is asked for at least once, not {self.times} times")
        if not timedelta() < self.first <= self.longest:
            raise ValueError(f"pauses grow from more than none: from {self.first} to {self.longest} they do not")
        if self.times > 1_000 or sum(map(self.pause_after, range(1, self.times)), timedelta()) > _LONGEST:
            raise ValueError(f"pauses of {self.times} times come to more than {_LONGEST}, in which a message is held")

    def pause_after(self, refusals: int) -> timedelta:
        """How long to wait after so many refusals, from 1."""
        doublings = min(refusals - 1, 20)
        return min(self.longest, self.first * (1 << doublings))

    def is_exhausted(self, refusals: int, rule: str) -> bool:
        """Whether the step is not asked for again after so many refusals, the last of which names that rule."""
        return rule in self.final or refusals >= self.times


def as_the_engine_does(step: str) -> RetryRule | None:
    """Of a saga that declares nothing: eight times in some ten seconds, then the instance stands still."""
    return None


def nothing_is_undone(ask: Any, reason: str, state: Any) -> list[Any]:
    """Of a saga none of whose steps is undone for being refused."""
    return []
