"""The vocabulary of lists: which rows of a read model a list shows, in which order, by the filters its caller gives."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Range:
    """A part of an index whose members are ordered by their text: from `least` on, up to before `below`.

    An empty `below` stands for no end.
    """

    index: str
    least: str = ""
    below: str = ""

    def has(self, index: str, member: str) -> bool:
        """Whether that entry lies in it."""
        return index == self.index and self.least <= member and (not self.below or member < self.below)


@dataclass(frozen=True, slots=True)
class RowList:
    """A list of rows, found under its name: `orders` at `/orders`, in the member `orders` of the answer.

    `filters` is a class of values whose members all default to None, each a parameter of the query (a final underscore
    keeps a word that Python has taken: `from_` is asked for as `from`). `range_of` turns them into the part of an index
    that is listed, `row_in` a member of it into the aggregate's id. An item has the members of the row that `shows`
    names. The order is that of the members' texts, or with `newest_first` the reverse. `about` says in a sentence what
    is listed.
    """

    name: str
    about: str
    filters: type[Any]
    range_of: Callable[[Any], Range]
    row_in: Callable[[str], str]
    shows: tuple[str, ...]
    newest_first: bool = False


def sortable(number: int) -> str:
    """A number as text of 16 characters that is ordered as the number; what is out of 0 to 2^64 - 1 as its end."""
    return f"{min(max(number, 0), _LARGEST):016x}"


def sortable_time(time: datetime) -> str:
    """A time to the microsecond as text of 16 characters that is ordered as the time, from 1970 on."""
    return sortable((time - _EPOCH) // _MICROSECOND)
