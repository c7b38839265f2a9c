"""Divides the work among the workers there are: evenly, and so that nothing moves without need."""

from collections import Counter
from collections.abc import Mapping
from typing import Final, TypeAlias

Group: TypeAlias = str
"""The partitions of read models that share a subscription, by a name that begins with the category and a space."""
Worker: TypeAlias = str
Announced: TypeAlias = Mapping[Group, bool]
"""What one worker could work on, and whether it does."""


def fair_shares(announced: Mapping[Worker, Announced]) -> Mapping[Group, Worker]:
    """Who is to work on each group: of those that could do the same work, none has two groups more than another.

    Whoever announces the same comes to the same answer. A group stays where it is unless its worker has too many; then
    those of the category go first of which it has the most. Where two work on one, the first by name counts.
    """
    return _Division(announced).shares


class _Division:
    """Groups are given out one by one, then moved one by one."""

    def __init__(self, announced: Mapping[Worker, Announced]) -> None:
        self._able: Final[dict[Group, list[Worker]]] = {}
        self._load: Final = Counter[Worker]()
        self._of_category: Final = Counter[tuple[Worker, str]]()
        self.shares: Final[dict[Group, Worker]] = {}
        for worker, groups in sorted(announced.items()):
            for group, works in sorted(groups.items()):
                self._able.setdefault(group, []).append(worker)
                if works and group not in self.shares:
                    self._give(group, worker)
        for group in sorted(self._able.keys() - self.shares.keys()):
            self._give(group, min(self._able[group], key=lambda worker: self._burden(worker, group)))
        while moves := self._moves():
            _, _, group, worker = max(moves)
            self._give(group, worker)

    def _give(self, group: Group, worker: Worker) -> None:
        category = _category(group)
        if (before := self.shares.get(group)) is not None:
            self._load[before] -= 1
            self._of_category[before, category] -= 1
        self.shares[group] = worker
        self._load[worker] += 1
        self._of_category[worker, category] += 1

    def _burden(self, worker: Worker, group: Group) -> tuple[int, int, Worker]:
        return self._load[worker], self._of_category[worker, _category(group)], worker

    def _moves(self) -> list[tuple[int, int, Group, Worker]]:
        """Each that makes two loads more even, with by how much they and those of the category differ now."""
        return [
            (self._load[now] - self._load[able], self._difference(group, now, able), group, able)
            for group, now in self.shares.items()
            for able in self._able[group]
            if self._load[now] - self._load[able] > 1
        ]

    def _difference(self, group: Group, now: Worker, able: Worker) -> int:
        category = _category(group)
        return self._of_category[now, category] - self._of_category[able, category]


def _category(group: Group) -> str:
    return group.partition(" ")[0]
