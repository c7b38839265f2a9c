"""Finds the heaviest members of a ranking that is kept in parts, exactly, and mostly without reading it whole."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from redis.asyncio.client import Pipeline

from infrastructure.readmodels.groups import members_in
from infrastructure.readmodels.inventory import KEPT
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.partition_queries import PartitionQuery, Replies
from infrastructure.readmodels.pointers import Generation

_LEAST_DEPTH: Final = 32
_Rank: TypeAlias = tuple[int, str]
"""What ranked members are ordered by: the weight, negated, and the member among equals."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What was read of one partition: the top of its ranking, and what the candidates weigh there.

    `end` is the rank of the last that was read of it, None where that is all there are.
    """

    weights: Mapping[str, int]
    end: _Rank | None

    @property
    def bound(self) -> int:
        """What a member can weigh at most that was not read."""
        return 0 if self.end is None else -self.end[0]


class TopSearch:
    """The threshold algorithm of R. Fagin, A. Lotem and M. Naor, "Optimal aggregation algorithms for middleware", 2003.

    In each round every partition is read at one checkpoint of its own: its top down to a depth, and the weights of
    candidates from the round before. It ends where nothing that was not read can come among the first. Each round reads
    all that it needs, four times as deep where that is not enough: none relies on what was read at another checkpoint.
    """

    def __init__(self, group: str, limit: int) -> None:
        """`group` is its stored name."""
        self._group: Final = group
        self._limit: Final = limit
        self._depth = max(_LEAST_DEPTH, 2 * limit)
        self._candidates: Sequence[str] = ()
        self.read = 0

    def query(self, generation: Generation) -> Mapping[int, PartitionQuery]:
        """The next round."""
        asked = partial(_get_top, self._group, self._depth, self._candidates)
        return dict.fromkeys(range(generation.partitions), asked)

    def take(self, replies: Sequence[Replies]) -> Sequence[tuple[str, int]] | None:
        """The heaviest members and what they weigh, the first by name among equals; None where another round is needed.

        Raises LookupError where Redis has lost a part of the ranking.
        """
        parts = [self._part(reply) for reply in replies]
        self.read += sum(len(part.weights) for part in parts)
        members = set[str]().union(*(part.weights for part in parts))
        weights = {member: sum(part.weights.get(member, 0) for part in parts) for member in members}
        ranks = sorted((-weight, member) for member, weight in weights.items() if weight)[: self._limit]
        last = ranks[-1] if len(ranks) == self._limit else None
        rising = {member for member in members if _may_rise(member, weights[member], parts, last)}
        self._candidates = list(
            rising.union(self._candidates)
        )  # without those from before, they would be in doubt again
        unread = _may_be_passed(parts, last)
        if unread:
            self._depth *= 4
        return None if unread or rising else [(member, -weight) for weight, member in ranks]

    def _part(self, replies: Replies) -> _Part:
        top, there, (kept, size), *asked = replies
        if kept is None or there != int(size or 0):
            raise LookupError("Redis has lost a part of a ranking")
        weights = members_in(top)
        end = None if len(top) >= there else (-weights[last := top[-1][0].decode()], last)
        scores: Sequence[float | None] = asked[0] if asked else ()
        known = {member: -int(score or 0) for member, score in zip(self._candidates, scores, strict=True)}
        return _Part(known | weights, end)


def _may_rise(member: str, weight: int, parts: Collection[_Part], last: _Rank | None) -> bool:
    """Whether what a member weighs where it was not read could make a difference."""
    more = sum(part.bound for part in parts if member not in part.weights)
    return more > 0 and (last is None or (-weight - more, member) <= last)


def _may_be_passed(parts: Collection[_Part], last: _Rank | None) -> bool:
    """Whether a member that was read nowhere could be among the first, or before the last of them among equals."""
    most = sum(part.bound for part in parts)
    if last is None or most != -last[0]:
        return most > (0 if last is None else -last[0])
    return all(part.end[1] < last[1] for part in parts if part.end is not None)


def _get_top(group: str, depth: int, candidates: Sequence[str], pipeline: Pipeline, keys: PartitionKeys) -> None:
    key: Any = keys.group(group)
    pipeline.zrange(key, 0, depth - 1, withscores=True)
    pipeline.zcard(key)
    pipeline.hmget(keys.groups, KEPT, group)
    if candidates:
        pipeline.zmscore(key, list(candidates))
