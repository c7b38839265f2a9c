"""The vocabulary of reports: figures that a page shows, made by a query of the sums of a read model."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from domain.value import value

Groups: TypeAlias = Mapping[str, Mapping[str, int]]
"""Counters by group and member, added up over all partitions; those of 0 are left out."""


@value
class Days:
    """The days of UTC from `first` to `last`, both included; none where the last is before the first."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def years(self) -> Sequence[str]:
        """The groups of these days where a group is a year: `2026`."""
        return [f"{year:04}" for year in range(self.first.year, self.last.year + 1)]

    @property
    def months(self) -> Sequence[str]:
        """The groups of these days where a group is a month: `2026-03`."""
        months = range(self.first.year * 12 + self.first.month - 1, self.last.year * 12 + self.last.month)
        return [f"{month // 12:04}-{month % 12 + 1:02}" for month in months]


@dataclass(frozen=True, slots=True)
class Report:
    """Figures made of counters: `revenue` of the page `dashboard` is found at `/dashboard/revenue`.

    `groups` names the groups that are needed for some days, `answer` makes the figures of their counters: a value of
    the class that it says it returns. Without `of_days` it is about all days, and asked for none. `about` says
    in a sentence what the figures are.
    """

    page: str
    name: str
    about: str
    groups: Callable[[Days], Sequence[str]]
    answer: Callable[[Groups, Days], Any]
    of_days: bool = True


@dataclass(frozen=True, slots=True)
class TopReport:
    """The heaviest members of a ranking, as many as are asked for; the rest as above."""

    page: str
    name: str
    about: str
    group: str
    answer: Callable[[Sequence[tuple[str, int]]], Any]


AnyReport: TypeAlias = Report | TopReport


def day_of(time: datetime) -> str:
    """The day of a time in UTC, such as `2026-03-01`."""
    return str(time.astimezone(UTC).date())


def year_of(day: str) -> str:
    """The group of a day where a group is a year."""
    return day[:4]


def month_of(day: str) -> str:
    """The group of a day where a group is a month."""
    return day[:7]


def by_day(groups: Groups, days: Days) -> Iterable[tuple[date, Mapping[str, int]]]:
    """What is counted under members `<day>:<what>`, for each of these days that has any, in their order."""
    found: defaultdict[date, dict[str, int]] = defaultdict(dict)
    for members in groups.values():
        for member, count in members.items():
            day, _, what = member.partition(":")
            found[date.fromisoformat(day)][what] = count
    return [(day, counts) for day, counts in sorted(found.items()) if day in days]
