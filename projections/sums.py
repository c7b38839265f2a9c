"""What a read model sums over streams: each row contributes to counters and rankings, of which queries get the totals.

What a commit changes are the contributions of its rows after it, less those before: so whatever a row does, becomes
or loses, it is counted once, and a sum is at any time that of the present rows.
"""

from collections.abc import Callable, Iterable
from typing import ClassVar, Final, TypeAlias, TypeVar

from domain.value import value
from projections.sketch import bucket_of

MOST: Final = 2**53
"""What a contribution may be at most, and the weight of a member in a partition; a counter holds up to 2^63 - 1."""
T = TypeVar("T")
Place: TypeAlias = tuple[str, str]
"""The stored name of a group, and a member of it."""


@value
class Counter:
    """Adds `by`, which may be negative, to one of a group's counters; one that comes to 0 is not kept.

    Money is counted in the minor units of its currency: exactly. A group is read as a whole, so what may have very
    many members is split into groups, of a year for instance.
    """

    kind: ClassVar = "sum"

    group: str
    member: str
    by: int = 1


@value
class Ranked:
    """Adds `by`, 0 or more, to the weight of one of a ranking's members; one that comes to 0 leaves it.

    A ranking is read from its top: it may have any number of members. With each `by` as 1 it is the union of the rows'
    sets, where a member weighs as much as there are rows with it.
    """

    kind: ClassVar = "ranked"

    group: str
    member: str
    by: int = 1


Contribution: TypeAlias = Counter | Ranked
Sums: TypeAlias = Callable[[T], Iterable[Contribution]]
"""From a row to what it contributes: a function of the row alone."""


def observe(group: str, observed: int) -> Counter:
    """Counts a value in a group that is a sketch, of which queries get the quantiles; a negative value counts as 0."""
    return Counter(group, bucket_of(observed))


def not_summed(row: object) -> Iterable[Contribution]:
    """The sums of a projection that has none."""
    return ()


def stored_group(kind: type[Contribution], group: str) -> str:
    """The name under which a group is stored."""
    return f"{kind.kind}:{group}"


def add_change(sums: Sums[T], before: T | None, after: T | None, to: dict[Place, int]) -> None:
    """Adds what the change of a row changes in the sums. Raises ValueError for what can't be summed exactly."""
    for row, sign in ((before, -1), (after, 1)):
        if row is not None:
            add_row(sums, row, to, sign)


def add_row(sums: Sums[T], row: T, to: dict[Place, int], sign: int = 1) -> None:
    """Adds what a row contributes, or takes it off. Raises ValueError as above."""
    for each in sums(row):
        by, place = each.by, (f"{each.kind}:{each.group}", each.member)
        least = 0 if each.kind == "ranked" else -MOST
        if type(by) is not int or not least <= by <= MOST:
            raise ValueError(
                f"{by!r} can't be added to {each.member} of {each.group}: it is no integer from {least} to {MOST}"
            )
        to[place] = to.get(place, 0) + sign * by
