"""Clocks that are moved by hand."""

from datetime import datetime, timedelta


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Calendar:
    """The time of day, which passes when a test says so."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, span: timedelta) -> None:
        """So much later; or earlier, as where a clock is stepped back."""
        self.now += span
