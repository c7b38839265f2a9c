"""Pages of an index whose members are ordered by their texts: what each partition is asked, and how that is merged."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from redis.asyncio.client import Pipeline

from infrastructure.readmodels.inventory import KEPT
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.partition_queries import PartitionQuery, Query, Replies, require_whole_index
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.position_token import PositionToken
from projections.row_lists import Range


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members of a part of an index, in the order asked for; `next` is the last of them, None at the end of the part.

    `token` is that of the partition that is furthest back.
    """

    members: tuple[str, ...]
    next: str | None
    token: PositionToken


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Up to `limit` members of a part of an index: those after `after`, which need not be there; with `newest_first`
    from the end, those before it."""

    part: Range
    limit: int
    after: str | None = None
    newest_first: bool = False

    def query(self) -> Query:
        """`limit` members of every partition and one more, since all may stand in one."""
        return self._of_all

    def merged(self, replies: Sequence[Replies]) -> tuple[tuple[str, ...], str | None]:
        """The first of all partitions' members, and the last of these, None where none follows (k-way merge).

        Raises LookupError for an index that has lost entries.
        """
        for reply in replies:
            require_whole_index(reply)
        lists = [[member.decode() for member in reply[0]] for reply in replies]
        found = tuple(islice(heapq.merge(*lists, reverse=self.newest_first), self.limit + 1))
        members = found[: self.limit]
        return members, members[-1] if len(found) > self.limit else None

    def _of_all(self, generation: Generation) -> Mapping[int, PartitionQuery]:
        return dict.fromkeys(range(generation.partitions), partial(_get_members, self))

    @property
    def bounds(self) -> tuple[str, str]:
        """The lowest and the highest member, as Redis understands them."""
        least = f"[{self.part.least}" if self.part.least else "-"
        below = f"({self.part.below}" if self.part.below else "+"
        if self.after is None:
            return least, below
        if self.newest_first:
            return least, below if self.part.below and self.part.below < self.after else f"({self.after}"
        return (least if self.after < self.part.least else f"({self.after}"), below


def _get_members(page: PageQuery, pipeline: Pipeline, keys: PartitionKeys) -> None:
    key, (lowest, highest) = keys.index(page.part.index), page.bounds
    if page.newest_first:
        pipeline.zrevrangebylex(key, highest, lowest, start=0, num=page.limit + 1)
    else:
        pipeline.zrangebylex(key, lowest, highest, start=0, num=page.limit + 1)
    pipeline.zcard(key)
    pipeline.hmget(keys.sizes, KEPT, page.part.index)


@dataclass(frozen=True, slots=True)
class PartCount:
    """How many members a part of an index has."""

    part: Range

    def query(self) -> Query:
        """Those of every partition."""
        return lambda generation: dict.fromkeys(range(generation.partitions), partial(_count_members, self.part))

    def added(self, replies: Sequence[Replies]) -> int:
        """Of all partitions together. Raises LookupError for an index that has lost entries."""
        for reply in replies:
            require_whole_index(reply)
        return sum(reply[0] for reply in replies)


def _count_members(part: Range, pipeline: Pipeline, keys: PartitionKeys) -> None:
    key, (lowest, highest) = keys.index(part.index), PageQuery(part, 0).bounds
    pipeline.zlexcount(key, lowest, highest)
    pipeline.zcard(key)
    pipeline.hmget(keys.sizes, KEPT, part.index)
