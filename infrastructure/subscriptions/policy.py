"""What a consumer does after a failure, as values that one function per consumer returns."""

from collections.abc import Callable
from dataclasses import dataclass
from random import uniform
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the same again after this many seconds."""

    after: float


@dataclass(frozen=True, slots=True)
class Park:
    """Set the message aside, where an operator sees it, and go on with the next."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeaveToOthers:
    """Give the message back after this many seconds: another worker may be able to handle it."""

    after: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Go no further: nobody knows what going on would do."""

    reason: str


Reaction: TypeAlias = Retry | Park | LeaveToOthers | Stop
FailurePolicy: TypeAlias = Callable[[Exception, int], Reaction]
"""From an error, and how often in a row it was met (from 1), to what follows."""


def back_off(failures: int, *, first: float = 0.1, longest: float = 10.0) -> float:
    """Seconds to wait after so many failures in a row, from 1: doubled each time, with a quarter of jitter."""
    return min(longest, first * 2.0 ** min(failures - 1, 30)) * uniform(0.75, 1.25)
