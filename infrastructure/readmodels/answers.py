"""The answers to queries of read models, each with the place in the log up to which it is the state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from infrastructure.readmodels.position_token import PositionToken
from projections.projection import Entry, Row

RowT_co = TypeVar("RowT_co", bound=Row, covariant=True)


@dataclass(frozen=True, slots=True)
class RowAtPosition(Generic[RowT_co]):
    """A row, None where there is none, as it is at that place in the log."""

    row: RowT_co | None
    token: PositionToken

    @property
    def position(self) -> int:
        return self.token.position


@dataclass(frozen=True, slots=True)
class IndexPage:
    """Entries of an index, newest first; `next` is the cursor of what follows, None at the end.

    `token` is that of the partition that is furthest back.
    """

    entries: tuple[Entry, ...]
    next: int | None
    token: PositionToken

    @property
    def position(self) -> int:
        return self.token.position


@dataclass(frozen=True, slots=True)
class GroupsAtPosition:
    """Counters of groups by their members, as of the partition that is furthest back; those of 0 are left out."""

    groups: Mapping[str, Mapping[str, int]]
    token: PositionToken


@dataclass(frozen=True, slots=True)
class RankingAtPosition:
    """The heaviest members of a ranking and what they weigh, the first by name among equals; the place as above."""

    members: Sequence[tuple[str, int]]
    token: PositionToken
