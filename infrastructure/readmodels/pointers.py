"""Says which generation of a read model is live, which one is being built, and what is to be done about them: pure."""

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from infrastructure.eventstore.stream_patterns import PARTITION_COUNTS
from infrastructure.readmodels.checkpoint import require_known_format

_FORMAT: Final = 2
"""With a version, which is 1 without. Before: format 1, without a version; format 0, without a number of a format."""
_FIRST_VERSION_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Generation:
    """One build of a read model: its number, its number of partitions, the event store that it is folded from, and the
    version of the projection that folds it."""

    number: int
    partitions: int
    store: str
    version: int = 1

    def to_json(self) -> str:
        """Version 1 in format 1: the releases that know no versions read on; they wait at anything newer."""
        stored: dict[str, Any] = {"number": self.number, "partitions": self.partitions, "store": self.store}
        if self.version == 1:
            return json.dumps({"format": _FIRST_VERSION_FORMAT, **stored})
        return json.dumps({"format": _FORMAT, **stored, "version": self.version})

    @staticmethod
    def from_json(text: bytes | str | None) -> "Generation | None":
        """The inverse of `to_json`, and of formats 0 and 1. Raises NewerFormat.

        None, too, for what no release has stored: such a pointer counts as lost.
        """
        if text is None:
            return None
        try:
            stored = json.loads(text)
            require_known_format("pointer to a generation", stored, _FORMAT)
            found = Generation(stored["number"], stored["partitions"], stored["store"], stored.get("version", 1))
        except (ValueError, LookupError, TypeError, AttributeError):
            return None
        return found if found.is_possible else None

    @property
    def is_possible(self) -> bool:
        """Whether its members are of their types, and its number of partitions is one that there is."""
        numbers = (self.number, self.partitions, self.version)
        whole = all(type(each) is int for each in numbers) and isinstance(self.store, str)
        return whole and self.number >= 0 and self.version >= 1 and self.partitions in PARTITION_COUNTS


@dataclass(frozen=True, slots=True)
class Wish:
    """What a worker works towards: a live generation of its projection's version, of the event store that it finds.

    `partitions` is what it was told to divide a new generation into. `insists` says that it begins one for the sake
    of this number alone.
    """

    version: int
    partitions: int
    store: str
    insists: bool = True


@dataclass(frozen=True, slots=True)
class Pointers:
    """The generation that is read, of whatever version; that of one's own version that workers build; and the highest
    number given so far.

    `rebuilding` is the one of one's own version that a rebuild works on, beside the workers. `kept` was read before the
    last rebuild, of whatever version, and is followed by nobody.
    """

    live: Generation | None
    building: Generation | None
    last_number: int
    rebuilding: Generation | None = None
    kept: Generation | None = None

    def towards(self, wish: Wish) -> "Pointers":
        """The next pointers on the way to what is wished for.

        A live generation of another version belongs to another release: it stays as it is. What is being built of
        the own version stays, whatever its number of partitions.
        """
        if self.later_version(wish.version) is not None:
            return replace(self, building=None, rebuilding=None)
        after = replace(
            self,
            live=None if self._is_of_another_store(wish) else self.live,
            building=_of_store(self.building, wish.store),
            rebuilding=_of_store(self.rebuilding, wish.store),
        )
        if after.building or (after.live and _satisfies(after.live, wish)):
            return after
        number = self._next_number
        building = Generation(number, wish.partitions, wish.store, wish.version)
        return replace(after, building=building, last_number=number)

    def rebuilt(self, wish: Wish) -> "Pointers":
        """The same with a generation for a rebuild: the one that was begun, where it is what is wished for, or else a
        new one."""
        begun = _unless(
            _of_store(self.rebuilding, wish.store), self.live
        )  # read already, where a failover forgot a flip
        if begun is not None and _satisfies(begun, wish):
            return self
        number = self._next_number
        rebuilding = Generation(number, wish.partitions, wish.store, wish.version)
        return replace(self, rebuilding=rebuilding, last_number=number)

    def built(self) -> "Pointers":
        """What workers have built is read."""
        return self._read(self.building, self.kept)

    def rebuild_flipped(self, *, keep: bool) -> "Pointers":
        """What was rebuilt is read; what was read before is kept, if that is wanted, and else nothing."""
        return replace(self._read(self.rebuilding, self.live if keep else None), rebuilding=None)

    def rolled_back(self) -> "Pointers":
        """What was kept is read, and what was read before is kept."""
        return replace(self._read(self.kept, self.live), building=self.building)

    def without(self, generation: Generation) -> "Pointers":
        """The same with that generation given up."""
        return replace(
            self,
            live=_unless(self.live, generation),
            building=_unless(self.building, generation),
            rebuilding=_unless(self.rebuilding, generation),
            kept=_unless(self.kept, generation),
        )

    def followed(self, version: int) -> tuple[Generation, ...]:
        """Those that workers of this version follow."""
        return _of_version((self.live, self.building), version)

    def folded(self, version: int) -> tuple[Generation, ...]:
        """Those that anybody of this version may fold: workers, a rebuild, or a rollback that catches up first."""
        return _of_version((self.live, self.building, self.rebuilding, self.kept), version)

    def later_version(self, version: int) -> int | None:
        """The version that is live, where it is a later one than this."""
        return self.live.version if self.live and self.live.version > version else None

    def _is_of_another_store(self, wish: Wish) -> bool:
        return self.live is not None and self.live.version == wish.version and self.live.store != wish.store

    @property
    def _next_number(self) -> int:
        known = (self.live, self.building, self.rebuilding, self.kept)
        return 1 + max(self.last_number, *(each.number for each in known if each), 0)

    def _read(self, live: Generation | None, kept: Generation | None) -> "Pointers":
        """That one is read. What nobody could go back to from there is not kept."""
        fits = live and kept and live != kept and (live.store, live.version) == (kept.store, kept.version)
        return replace(self, live=live, building=None, kept=kept if fits else None)


def _of_version(generations: tuple[Generation | None, ...], version: int) -> tuple[Generation, ...]:
    return tuple(each for each in generations if each and each.version == version)


def _of_store(generation: Generation | None, store: str) -> Generation | None:
    return generation if generation and generation.store == store else None


def _unless(known: Generation | None, given_up: Generation | None) -> Generation | None:
    return None if known == given_up else known


def _satisfies(generation: Generation, wish: Wish) -> bool:
    fits = generation.partitions == wish.partitions or not wish.insists
    return generation.version == wish.version and fits
