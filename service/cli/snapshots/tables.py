"""Prints what the commands about snapshots found and did, for people or as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from infrastructure.terminal import print_json, print_line
from infrastructure.times import time_text
from service.cli.plurals import counted
from service.cli.snapshots.retake import Retaken
from service.cli.snapshots.survey import SnapshotStatus, Summary
from service.tables import print_table


def print_statuses(statuses: Sequence[SnapshotStatus], summary: Summary, *, as_json: bool) -> None:
    now = datetime.now(UTC)
    if as_json:
        print_json({"snapshots": [_answer(each, now) for each in statuses], "summary": _summary_answer(summary)})
        return
    columns = ("stream", "version", "snapshot", "behind", "age", "state")
    rows = [
        (each.stream, *map(_number, (each.version, each.snapshot, each.behind)), _age(each, now), each.state)
        for each in statuses
    ]
    if rows:
        print_table(columns, rows)
    print_line(_summary_text(summary))


def print_dropped(streams: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"dropped": streams})
    else:
        print_line(f"Dropped the snapshots of {counted(len(streams), 'stream')}.")


def print_retaken(retaken: Sequence[Retaken], *, as_json: bool) -> None:
    if as_json:
        print_json({"snapshots": [asdict(each) for each in retaken]})
        return
    failed = [(each.stream, _number(each.version), each.result) for each in retaken if each.result != "taken"]
    if failed:
        print_table(("stream", "version", "result"), failed)
    print_line(f"Took snapshots of {counted(len(retaken) - len(failed), 'stream')}.")


def _summary_answer(summary: Summary) -> dict[str, Any]:
    states = dict(sorted(summary.states.items()))
    return {"streams": summary.states.total(), "misses": summary.misses, "states": states}


def _summary_text(summary: Summary) -> str:
    states = "".join(f", {number:,} {state}" for state, number in sorted(summary.states.items()))
    return f"{counted(summary.states.total(), 'stream')}{states}; {summary.misses:,} can't be loaded from a snapshot."


def _answer(status: SnapshotStatus, now: datetime) -> dict[str, Any]:
    taken_at = status.taken_at
    return {
        "stream": status.stream,
        "version": status.version,
        "state": status.state,
        "snapshot_version": status.snapshot,
        "behind": status.behind,
        "taken_at": None if taken_at is None else time_text(taken_at),
        "age_seconds": None if taken_at is None else round((now - taken_at).total_seconds(), 1),
    }


def _number(number: int | None) -> str:
    return "—" if number is None else f"{number:,}"


def _age(status: SnapshotStatus, now: datetime) -> str:
    if status.taken_at is None:
        return "—"
    seconds = (now - status.taken_at).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
