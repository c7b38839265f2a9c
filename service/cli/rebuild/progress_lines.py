"""How far a rebuild is: one line on a terminal, written over and over, and else a line now and then, or JSON."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from infrastructure.rebuilds.progress import Progress
from infrastructure.terminal import (
    flush_output,
    json_text,
    print_raw,
    printable,
    speaks_unicode,
)
from infrastructure.times import time_text
from infrastructure.uri import without_logins
from service.cli.progress import Lines, ProgressLine

_BAR: Final = 24


class RebuildProgress:
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
        self._line: Final = ProgressLine(None, lines=_DOCUMENTS if as_json else _LINES, clock=clock)

    def show(self, progress: Progress) -> None:
        """Shows it, where something is due, or it is done. Raises OutputUnusable."""
        what = (self._projection, progress, self._view)
        self._line.show(
            _document_text(progress_answer(*what)) if self._as_json else progress_text(*what),
            is_last=progress.is_caught_up,
        )

    def end(self) -> None:
        """Nothing more is shown."""
        self._line.end()


def print_document(content: dict[str, Any]) -> None:
    """Prints it as a line of JSON, at once. Raises OutputUnusable."""
    _print_at_once(_document_text(content))


def _document_text(content: dict[str, Any]) -> str:
    return json_text(content, ascii_only=not speaks_unicode(sys.stdout))


def _print_with_time(text: str) -> None:
    _print_at_once(printable(f"{time_text(datetime.now(UTC))} {text}"))


def _print_at_once(text: str) -> None:
    print_raw(text)
    flush_output()


_LINES: Final = Lines(_print_with_time, every=5.0, first=0.0)
_DOCUMENTS: Final = Lines(_print_at_once, every=1.0, first=0.0, also_at_terminals=True)


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
