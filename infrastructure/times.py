"""Writes times as all who read them get them: answers, tables, logs and what is stored as JSON."""

from datetime import UTC, datetime


def time_text(at: datetime) -> str:
    """The time as RFC 3339, in UTC with `Z`, to the microsecond where it has a fraction."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
