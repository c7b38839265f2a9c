"""Finds the version at which a stream stood at a time, in fewer reads than the stream's length has binary digits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from infrastructure.eventstore.record import Record
from infrastructure.history.errors import OutOfReach
from infrastructure.history.records import Records

SCANNED: Final = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a stream stood: at `record`, while `following`, the next, was not there; None where it is the last."""

    record: Record
    following: Record | None


def moment_of_time(records: Records, at: datetime) -> Moment:
    """The record that was written at or before `at`, such that the next one was written after it, or never.

    The clock is the server's, which may step back, so there may be several such places; this is one of them. One
    record is read a step (bisection; the outer two first) until SCANNED are left, which are read at once: about
    log2(n / SCANNED) + 3 reads. Raises OutOfReach where the oldest visible record is younger.
    """
    low = records.last()
    if written(low) <= at:
        return Moment(low, None)
    high, low = low, records.first()
    if written(low) > at:
        raise OutOfReach(records.stream, f"holds nothing from before {written(low).isoformat()}")
    return bisected(records.page, at, low, high)


def bisected(
    page: Callable[[int, int], Sequence[Record]],
    at: datetime,
    low: Record,
    high: Record,
    scanned: int = SCANNED,
) -> Moment:
    """Two neighbours: `low` or a later record, written by then, and `high` or an earlier one, written after.

    `page` reads so many visible records, from the first on that is not before a version.
    """
    end = high.version  # the first visible record that is not before it was written after `at`
    while end - low.version > scanned:
        middle = (low.version + end) // 2
        probe = next(iter(page(middle, 1)), None)
        if probe is None or probe.version >= end:
            end = middle  # nothing is visible in between
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
    """The record of that version. Raises OutOfReach where the stream has no such, or has it no more."""
    record = records.next_from(version)
    if record is None:
        raise OutOfReach(records.stream, f"ends at version {records.last().version}")
    if record.version != version:
        raise OutOfReach(records.stream, f"holds nothing from before version {record.version} any more")
    return Moment(record, records.next_from(version + 1))


def written(record: Record) -> datetime:
    """What the server's clock said."""
    return record.at or datetime.min.replace(tzinfo=UTC)
