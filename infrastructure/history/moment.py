"""Finds the version at which a stream stood at a time, in as many reads as the stream's length has binary digits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from esdbclient import RecordedEvent

from infrastructure.history.errors import OutOfReach
from infrastructure.history.records import Records


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a stream stood: at `record`, while `following`, the next, was not there; None where it is the last."""

    record: RecordedEvent
    following: RecordedEvent | None


def moment_of_time(records: Records, at: datetime) -> Moment:
    """The record that was written at or before `at`, such that the next one was written after it, or never.

    The clock is the server's, which may step back, so there may be several such places; this is one of them. One
    record is read a step (bisection; the outer two first), about log2(n) + 2 of them. Raises OutOfReach where the
    oldest visible record is younger.
    """
    low = records.last()
    if written(low) <= at:
        return Moment(low, None)
    high, low = low, records.first()
    if written(low) > at:
        raise OutOfReach(records.stream, f"holds nothing from before {written(low).isoformat()}")
    return bisected(records.next_from, at, low, high)


def bisected(
    next_from: Callable[[int], RecordedEvent | None], at: datetime, low: RecordedEvent, high: RecordedEvent
) -> Moment:
    """Two neighbours: `low` or a later record, written by then, and `high` or an earlier one, written after.

    `next_from` reads the first visible record that is not before a version.
    """
    end = high.stream_position  # the first visible record that is not before it was written after `at`
    while end - low.stream_position > 1:
        middle = (low.stream_position + end) // 2
        probe = next_from(middle)
        if probe is None or probe.stream_position >= end:
            end = middle  # nothing is visible in between
        elif written(probe) <= at:
            low = probe
        else:
            high, end = probe, middle
    return Moment(low, high)


def moment_of_version(records: Records, version: int) -> Moment:
    """The record of that version. Raises OutOfReach where the stream has no such, or has it no more."""
    record = records.next_from(version)
    if record is None:
        raise OutOfReach(records.stream, f"ends at version {records.last().stream_position}")
    if record.stream_position != version:
        raise OutOfReach(records.stream, f"holds nothing from before version {record.stream_position} any more")
    return Moment(record, records.next_from(version + 1))


def written(record: RecordedEvent) -> datetime:
    """What the server's clock said."""
    return record.recorded_at or datetime.min.replace(tzinfo=UTC)
