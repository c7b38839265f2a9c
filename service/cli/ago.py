"""Times as people say them on the command line: `2h`, `7d` ago."""

import re
from datetime import datetime, timedelta
from typing import Final

import typer

_AGO: Final = re.compile(r"([0-9]{1,9})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_ago(text: str, now: datetime) -> datetime | None:
    """The time that is so many seconds, minutes, hours, days or weeks before `now`; None for other text.

    Raises BadParameter before the year 1.
    """
    try:
        ago = parse_duration(text)
        return None if ago is None else now - ago
    except OverflowError as error:
        raise typer.BadParameter(f"{text!r} ago there was no year yet") from error


def parse_duration(text: str) -> timedelta | None:
    """So many seconds, minutes, hours, days or weeks; None for other text. Raises OverflowError for too many."""
    said = _AGO.fullmatch(text)
    return None if said is None else timedelta(**{_UNITS[said[2]]: int(said[1])})
