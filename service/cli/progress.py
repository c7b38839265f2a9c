"""How far long work is: on a terminal one line of the errors, written over and over, elsewhere a line now and then."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Final, Self, TypeVar

from infrastructure.terminal import end_progress, print_error, print_progress

_TERMINAL_SECONDS: Final = 0.1
_LINE_SECONDS: Final = 10.0
ItemT = TypeVar("ItemT")


class ProgressLine:
    """Of one piece of work. It never writes to the output; where nobody is at a terminal, short work is silent.

    `beside_output`: what the work prints meanwhile goes to the output. Where that is a terminal as well, it tells
    enough of itself, and nothing is shown.
    """

    def __init__(self, what: str, *, beside_output: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._what: Final = what
        self._is_terminal: Final = sys.stderr.isatty()
        self._is_quiet: Final = beside_output and sys.stdout.isatty()
        self._every: Final = _TERMINAL_SECONDS if self._is_terminal else _LINE_SECONDS
        self._clock: Final = clock
        self._due = clock() + (0 if self._is_terminal else _LINE_SECONDS)

    def show(self, said: str) -> None:
        """Says how far it is; where nobody is at a terminal, when a line is due."""
        if self._is_terminal or self._is_due():
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
        """Takes the line away from a terminal."""
        if not self._is_quiet:
            end_progress()

    def _is_due(self) -> bool:
        if (now := self._clock()) < self._due:
            return False
        self._due = now + self._every
        return True

    def _print(self, said: str) -> None:
        if not self._is_quiet:
            (print_progress if self._is_terminal else print_error)(f"{self._what}: {said}")
