"""Tallies with sums over all of them; and, by code that shares nothing with the product's, what these have to be."""

from collections import Counter as Counts
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import ceil, log
from typing import Any, Final

from projections.projection import Projection
from projections.sums import Contribution, Counter, Ranked, observe
from tests.infrastructure.readmodels.tallies import Tally, tallies

GROUPS: Final = ("sum:open", "sum:totals", "sum:sketch", "ranked:owners", "ranked:totals")


def contributions(row: Tally) -> Iterable[Contribution]:
    yield Counter("open", row.owner)
    yield Counter("totals", row.owner, row.total)
    yield observe("sketch", row.total)
    yield Ranked("owners", row.owner, row.total)
    yield Ranked("totals", str(row.total))


def summed(category: str, name: str = "summed") -> Projection[Tally]:
    """Tallies, and sums of every kind."""
    return replace(tallies(category, name), sums=contributions)


def groups_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """What is stored of the sums of these rows, by the ends of their keys."""
    found: dict[str, Counts[str]] = {name: Counts() for name in GROUPS}
    for row in rows:
        owner, total = row["owner"], row["total"]
        found["sum:open"][owner] += 1
        found["sum:totals"][owner] += total
        found["sum:sketch"]["0" if total == 0 else str(1 + ceil(log(total) / log(1.01 / 0.99)))] += 1
        found["ranked:owners"][owner] -= total
        found["ranked:totals"][str(total)] -= 1
    return {name: there for name, each in found.items() if (there := {key: by for key, by in each.items() if by})}


def group_sizes(groups: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """Their inventory."""
    return {"": "1", **{name: str(len(members)) for name, members in groups.items()}}
