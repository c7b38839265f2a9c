"""Folds an exported stream without any store, as its lines are read, and prints what becomes of it."""

from collections import deque
from collections.abc import Iterator
from itertools import chain, takewhile
from pathlib import Path

from infrastructure.eventstore.record import Record
from infrastructure.history.errors import OutOfReach
from infrastructure.history.export import records_in
from infrastructure.history.moment import written
from infrastructure.history.past import Change, StateAsOf, walk
from infrastructure.terminal import print_json, print_json_list
from service.cli.history import tables
from service.cli.progress import ProgressLine
from service.errors import FileUnusable
from service.history.answers import change_answer, state_answer
from service.history.sources import CODEC, boundary_of


def replay(file: Path, until: int | None, *, step: bool, json: bool) -> int:
    """Folds as far as version `until`; prints each step as it is folded, or the state at the end. The exit code is 0.

    Lines after that are not looked at. Raises OutOfReach, FileUnusable, ExportUnreadable, UnknownCategory, and what
    reading events raises.
    """
    records = _records_in(file)
    first = next(records)
    if until is not None and first.version > until:
        raise OutOfReach(first.stream, f"begins in {file} at version {first.version}")
    chosen = takewhile(lambda record: until is None or record.version <= until, chain((first,), records))
    with ProgressLine(first.stream, beside_output=step) as progress:
        changes = walk(progress.counted(chosen, "events"), boundary_of(first.stream), CODEC)
        if step:
            _print_steps(changes, json=json)
            return 0
        last = _last_of(changes)
    _print_end(last, first.version, json=json)
    return 0


def _records_in(file: Path) -> Iterator[Record]:
    try:
        with file.open(encoding="utf-8") as lines:
            yield from records_in(str(file), lines)
    except OSError as error:
        raise FileUnusable(file, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise FileUnusable(file, "it is not text in UTF-8") from error


def _print_steps(changes: Iterator[Change], *, json: bool) -> None:
    if json:
        print_json_list(map(change_answer, changes))
        return
    for change in changes:
        tables.print_step(change)


def _last_of(changes: Iterator[Change]) -> Change:
    (last,) = deque(changes, maxlen=1)
    return last


def _print_end(last: Change, first_version: int, *, json: bool) -> None:
    record = last.record
    end = StateAsOf(
        stream=record.stream,
        version=record.version,
        since=written(record),
        until=None,
        first_version=first_version,
        state=last.after,
    )
    if json:
        print_json(state_answer(end))
    else:
        tables.print_state(end)
