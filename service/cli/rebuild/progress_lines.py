"""How far a rebuild is: one line on a terminal, written over and over, and else a line now and then, or JSON."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from infrastructure.rebuilds.progress import Progress
from infrastructure.terminal import (
    end_progress,
    flush_output,
    json_text,
    print_progress,
    print_raw,
    printable,
    speaks_unicode,
)
from infrastructure.times import time_text
from infrastructure.uri import without_logins

_BAR: Final = 24
_LINE_SECONDS: Final = 5.0
_DOCUMENT_SECONDS: Final = 1.0


class ProgressLines:
    """Of one projection, or of a `view` of it. At the end `end` takes the line away from a terminal."""

    def __init__(
        self,
        projection: str,
        *,
        as_json: bool,
        view: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._projection: Final = projection
        self._view: Final = view
        self._as_json: Final = as_json
        self._clock: Final = clock
        self._due = clock()

    def show(self, progress: Progress) -> None:
        """Shows it, where something is due, or it is done. Raises OutputUnusable."""
        text = progress_text(self._projection, progress, self._view)
        if not self._as_json and sys.stderr.isatty():
            print_progress(text)
            return
        if self._clock() < self._due and not progress.is_caught_up:
            return
        self._due = self._clock() + (_DOCUMENT_SECONDS if self._as_json else _LINE_SECONDS)
        if self._as_json:
            print_document(progress_answer(self._projection, progress, self._view))
        else:
            print_raw(
                printable(f"{time_text(datetime.now(UTC))} {progress_text(self._projection, progress, self._view)}")
            )
            flush_output()

    def end(self) -> None:
        """Nothing more is shown."""
        if not self._as_json:
            end_progress()


def print_document(content: dict[str, Any]) -> None:
    """Prints it as a line of JSON, at once. Raises OutputUnusable."""
    print_raw(json_text(content, ascii_only=not speaks_unicode(sys.stdout)))
    flush_output()


def progress_text(projection: str, progress: Progress, view: str | None = None) -> str:
    """The generation or view, a bar, the share of the log, events a second, and the time that is left."""
    full = int(progress.share * _BAR)
    bar = f"[{'#' * full}{'.' * (_BAR - full)}] {progress.share:4.0%}"
    what = f"generation {progress.generation}" if view is None else f"view {view}"
    said = f"{projection} {what} {bar} {progress.rate:,.0f} events/s {_left(progress)}"
    return f"{said}; {without_logins(progress.failure.reason)}" if progress.failure is not None else said


def _left(progress: Progress) -> str:
    if progress.is_caught_up:
        return "caught up"
    if progress.seconds_left is None:
        return "ETA unknown"
    return f"ETA {timedelta(seconds=round(progress.seconds_left))}"


def progress_answer(projection: str, progress: Progress, view: str | None = None) -> dict[str, Any]:
    """The same as a document."""
    left = None if progress.seconds_left is None else round(progress.seconds_left, 1)
    return {
        "at": time_text(datetime.now(UTC)),
        "projection": projection,
        **({"generation": progress.generation} if view is None else {"view": view}),
        "share": round(progress.share, 4),
        "events_per_second": round(progress.rate, 1),
        "seconds_left": left,
        "position": progress.position,
        "end": progress.end,
        "partitions": len(progress.partitions),
        "caught_up": progress.caught_up,
        "failure": None if progress.failure is None else without_logins(progress.failure.reason),
    }
