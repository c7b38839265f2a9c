"""How far long work is: on a terminal one line of the errors, written over and over, elsewhere a line now and then."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar

from infrastructure.terminal import end_progress, print_error, print_progress

_TERMINAL_SECONDS: Final = 0.1
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Lines:
    """What prints lines where nobody is at a terminal, how often, and how soon the first; all in seconds.

    `also_at_terminals`: lines are printed there as well, in place of the one that is written over.
    """

    write: Callable[[str], None]
    every: float
    first: float
    also_at_terminals: bool = False


_ERROR_LINES: Final = Lines(print_error, every=10.0, first=10.0)


class ProgressLine:
    """Of one piece of work, which each line names first. Unless its lines are others, it never writes to the output,
    and where nobody is at a terminal, short work is silent.

    `beside_output`: what the work prints meanwhile goes to the output. Where that is a terminal as well, it tells
    enough of itself, and nothing is shown.
    """

    def __init__(
        self,
        what: str | None,
        *,
        beside_output: bool = False,
        lines: Lines = _ERROR_LINES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prefix: Final = "" if what is None else f"{what}: "
        self._is_terminal: Final = sys.stderr.isatty() and not lines.also_at_terminals
        self._is_quiet: Final = beside_output and sys.stdout.isatty()
        self._write: Final = print_progress if self._is_terminal else lines.write
        self._every: Final = _TERMINAL_SECONDS if self._is_terminal else lines.every
        self._clock: Final = clock
        self._due = clock() + (0 if self._is_terminal else lines.first)

    def show(self, said: str, *, is_last: bool = False) -> None:
        """Says how far it is; where nobody is at a terminal, when a line is due, or for the last time."""
        if self._is_terminal or self._is_due() or is_last:
            self._print(said)

    def counted(self, items: Iterable[ItemT], noun: str, total: int | None = None) -> Iterator[ItemT]:
        """The items, one by one; now and then it says how many were taken, of how many if that is known."""
        of = "" if total is None else f" of {total:,}"
        for number, item in enumerate(items):
            if self._is_due():
                self._print(f"{number:,}{of} {noun}")
            yield item

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Takes the line away from a terminal."""
        if self._is_terminal and not self._is_quiet:
            end_progress()

    def _is_due(self) -> bool:
        if (now := self._clock()) < self._due:
            return False
        self._due = now + self._every
        return True

    def _print(self, said: str) -> None:
        if not self._is_quiet:
            self._write(f"{self._prefix}{said}")
