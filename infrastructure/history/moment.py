"""Finds the version that a stream had at a time, in fewer reads than the stream's length has binary digits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from infrastructure.eventstore.record import Record
from infrastructure.history.errors import OutOfReach
from infrastructure.history.records import Records
from infrastructure.times import time_text

SCAN_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """A time after `record` was written and before `following`, the next, was; None where `record` is the last."""

    record: Record
    following: Record | None


def moment_of_time(records: Records, at: datetime) -> Moment:
    """A record written at or before `at`, with the next one, which was written after `at` or does not exist.

    The clock is the server's. It may step back, so there may be several such records; this is one of them. The oldest
    and the newest are read first, then one a step (bisection), until SCAN_SIZE are left, which are read at once: about
    log2(n / SCAN_SIZE) + 3 reads. Raises OutOfReach where the oldest visible record was written after `at`.
    """
    low = records.last()
    if written(low) <= at:
        return Moment(low, None)
    high, low = low, records.first()
    if written(low) > at:
        raise OutOfReach(records.stream, f"holds nothing from before {time_text(written(low))}")
    return bisect(records.page, at, low, high)


def bisect(
    page: Callable[[int, int], Sequence[Record]],
    at: datetime,
    low: Record,
    high: Record,
    scan_size: int = SCAN_SIZE,
) -> Moment:
    """Two neighbours from `low` to `high`: the first was written at or before `at`, the second after it.

    `low` was written at or before `at`, `high` after it. `page(first, limit)` reads at most `limit` visible records,
    from version `first` on.
    """
    end = high.version  # the first visible record from this version on was written after `at`
    while end - low.version > scan_size:
        middle = (low.version + end) // 2
        probe = next(iter(page(middle, 1)), None)
        if probe is None or probe.version >= end:
            end = middle  # no record in between is visible
        elif written(probe) <= at:
            low = probe
        else:
            high, end = probe, middle
    between = end - low.version - 1
    for record in page(low.version + 1, between) if between else ():
        if record.version >= end:
            break
        if written(record) > at:
            return Moment(low, record)
        low = record
    return Moment(low, high)


def moment_of_version(records: Records, version: int) -> Moment:
    """The record of that version. Raises OutOfReach where the stream does not have it, or no longer."""
    record = records.next_from(version)
    if record is None:
        raise OutOfReach(records.stream, f"ends at version {records.last().version}")
    if record.version != version:
        raise OutOfReach(records.stream, f"holds nothing from before version {record.version} any more")
    return Moment(record, records.next_from(version + 1))


def written(record: Record) -> datetime:
    """When the record was written, by the server's clock."""
    return record.at or datetime.min.replace(tzinfo=UTC)
