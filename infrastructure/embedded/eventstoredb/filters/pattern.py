"""Matches a reader's regular expression in bounded time: one that explodes ends its own call only.

`re` holds the interpreter while it searches, but looks for signals on its way: a timer of this process's time
interrupts it. Each search earns the pattern a little more time, so that the time it may take in all is bounded by the
number of searches. Why not the library `regex`, which has a timeout: docs/adr/0013.
"""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TypeVar

from infrastructure.embedded.eventstoredb.errors import InvalidPattern, PatternTooSlow

MAX_CHARACTERS = 16_384
COMPILE_SECONDS = 0.1  # an ordinary pattern of that length takes a third of it
ALLOWANCE_SECONDS, EARNED_SECONDS = 0.05, 0.0001
# A text this short can't make a pattern explode that has so few repeats.
_SHORT_TEXT, _FEW_REPEATS = 200, 2
_REPEATS = re.compile(r"(?<!\()[*+?{]")  # without the question mark of a group's kind
_NESTED = re.compile(r"\)[*+?{]|\\[1-9]|\(\?P=|\(\?\(|\(\?[a-zA-Z]*x")
_REMEMBERED_BY_LIBRARY = 1000
_AGAIN_SECONDS = 0.005
_SEARCHING = (str(Path(re.__file__).parent), __file__)  # the library's code, and ours

# The numbers behind the enumerations, which take longer than a search.
_VIRTUAL, _set_timer = int(signal.ITIMER_VIRTUAL), signal.setitimer

T = TypeVar("T")


class Pattern:
    """Searches texts; made and used on the main thread, the only one that receives signals.

    Raises InvalidPattern, also for one that is too long, and PatternTooSlow for one that takes too long to compile.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._search = self._within(COMPILE_SECONDS, lambda: _compiled(text)).search
        self._is_plain = len(_REPEATS.findall(text)) <= _FEW_REPEATS and not _NESTED.search(text)
        self._left = ALLOWANCE_SECONDS

    def fits(self, text: str) -> bool:
        """Whether the pattern is found in the text. Raises PatternTooSlow."""
        if self._is_plain and len(text) <= _SHORT_TEXT:
            return self._search(text) is not None
        began = time.thread_time()
        found = self._within(self._left, lambda: self._search(text))
        self._left = min(ALLOWANCE_SECONDS, self._left + EARNED_SECONDS - (time.thread_time() - began))
        if self._left <= 0:
            raise PatternTooSlow(self._text)
        return found is not None

    def _within(self, seconds: float, work: Callable[[], T]) -> T:
        try:
            with _timer.set(seconds):
                return work()
        except _TimeIsUp as late:
            raise PatternTooSlow(self._text) from late


class _TimeIsUp(Exception):
    """Raised by the timer into what takes too long."""


class _Timer:
    """Raises _TimeIsUp in a block that takes too long, not later."""

    def __init__(self) -> None:
        self._is_set_up = self._is_running = False

    def set(self, seconds: float) -> "_Timer":
        if not self._is_set_up:
            signal.signal(signal.SIGVTALRM, self._ring)
            self._is_set_up = True
        self._is_running = True
        _set_timer(_VIRTUAL, seconds, _AGAIN_SECONDS)
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._is_running = False
        _set_timer(_VIRTUAL, 0)

    def _ring(self, _signal: int, frame: FrameType | None) -> None:
        """Rings again soon where others have come in between, such as the garbage collector: there it would be lost."""
        if self._is_running and frame is not None and frame.f_code.co_filename.startswith(_SEARCHING):
            self._is_running = False
            raise _TimeIsUp


_timer = _Timer()


def _compiled(text: str) -> re.Pattern[str]:
    if len(text) > MAX_CHARACTERS:
        raise InvalidPattern(f"the pattern is longer than {MAX_CHARACTERS} characters")
    try:
        compiled = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidPattern(f"the pattern can't be compiled: {error}") from error
    if len(text) > _REMEMBERED_BY_LIBRARY:
        re.purge()  # it would keep hundreds of such
    return compiled
