"""Reads times as callers write them, over HTTP and on the command line alike: RFC 3339, with an offset from UTC."""

import re
from datetime import UTC, date, datetime, time
from typing import Final

_MINUTE: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"  # of a day, and of an offset
_TIME: Final = re.compile(
    rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})[Tt]({_MINUTE}:[0-5][0-9])(\.[0-9]{{1,9}})?([Zz]|[+-]{_MINUTE})"
)
_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SUCH_AS: Final = "a time such as 2026-03-01T15:00:00Z or 2026-03-01T16:00:00.5+01:00"


def read_time(text: str) -> datetime:
    """The time in UTC, cut to microseconds. Raises ValueError, which says what it should be.

    A leap second is refused: the event store's clock has none.
    """
    return _time(text, _SUCH_AS)


def read_day_or_time(text: str) -> datetime:
    """The same, also for a day, which begins at midnight in UTC. Raises ValueError."""
    if not _DAY.fullmatch(text):
        return _time(text, f"a day or {_SUCH_AS}")
    return datetime.combine(read_day(text), time(), UTC)


def read_day(text: str) -> date:
    """The day. Raises ValueError, which says what it should be."""
    if not _DAY.fullmatch(text):
        raise ValueError("should be a day such as 2026-03-01")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("should be a day that there is") from error


def _time(text: str, such_as: str) -> datetime:
    parts = _TIME.fullmatch(text)
    if parts is None:
        raise ValueError(f"should be {such_as}")
    day, clock, fraction, offset = parts.groups(default="")
    try:
        return datetime.fromisoformat(f"{day}T{clock}{fraction[:7]}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("should be a time that there is") from error
