"""Names all keys of read models in Redis; keys that are written together share a hash tag."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from domain.stream_name import HEX_DIGITS
from infrastructure.eventstore.stream_patterns import partition_of

PartitionId: TypeAlias = tuple[str, int, int]
"""A projection's name, and the numbers of a generation and a partition of it."""
_GENERATION: Final = re.compile(r"(?:v([0-9]+):)?([0-9]+):p", re.ASCII)


@dataclass(frozen=True)  # no slots: they keep no cached prefix, which each key of a row begins with
class PartitionKeys:
    """The keys of one partition of one generation: one slot of a cluster, hence one transaction.

    Those of version 1 of a projection don't name it, as before there were versions: a release from then neither
    reads nor sweeps those of later versions. None names the number of `partitions`, where that is known.

    Of a `view` of the past the generation is a number of its own, and all keys expire at `expires_at`, in milliseconds
    of the epoch by the clock of Redis.
    """

    namespace: str
    projection: str
    generation: int
    partition: int
    version: int = 1
    partitions: int | None = None
    view: str | None = None
    expires_at: int | None = None

    @cached_property
    def prefix(self) -> str:
        return f"{{{self.namespace}:{self._name}}}:"

    @property
    def checkpoint(self) -> str:
        return f"{self.prefix}checkpoint"

    @property
    def status(self) -> str:
        return f"{self.prefix}status"

    @property
    def lease(self) -> str:
        """A string that expires: who works on the partition. All leases are in one slot, to be renewed together."""
        return f"{{{self.namespace}}}:lease:{self._name}"

    @property
    def audit(self) -> str:
        """A string: how far the background audit has come. Not part of what is read: it may be lost at any time."""
        return f"{self.prefix}audit"

    @property
    def ids(self) -> str:
        """A sorted set: the ids of all rows."""
        return f"{self.prefix}ids"

    @property
    def sizes(self) -> str:
        """A hash: how many entries each index has."""
        return f"{self.prefix}sizes"

    @property
    def groups(self) -> str:
        """A hash: how many members each group of sums has."""
        return f"{self.prefix}groups"

    @property
    def blocked(self) -> str:
        """A hash: the blocks by the keys of their streams' rows."""
        return f"{self.prefix}blocked"

    @property
    def retries(self) -> str:
        """A set: ids of blocked aggregates that an operator wants tried now; `*` stands for all."""
        return f"{self.prefix}retries"

    def row(self, row_key: str) -> str:
        """A hash: one field for each member of the row."""
        return f"{self.prefix}row:{row_key}"

    def index(self, name: str) -> str:
        """A sorted set: members by commit position."""
        return f"{self.prefix}index:{name}"

    def group(self, name: str) -> str:
        """A hash of counters by member for `sum:…`; for `ranked:…` a sorted set: members by their weight, negated."""
        return f"{self.prefix}{name}"

    def hold(self, row_key: str) -> bool:
        """Whether there can be a stream of that aggregate in the partition."""
        if not row_key or row_key[-1] not in HEX_DIGITS:
            return False
        return partition_of(row_key, self.partitions or 1) == self.partition

    @property
    def _name(self) -> str:
        if self.view is not None:
            return f"{self.projection}:view-{self.view}-{self.generation}:p{self.partition}"
        version = "" if self.version == 1 else f"v{self.version}:"
        return f"{self.projection}:{version}{self.generation}:p{self.partition}"

    def cut(self, side: str) -> str:
        """A hash, of a view by time: where its fold begins (`from`) or ends (`until`)."""
        return f"{self.prefix}cut:{side}"

    @property
    def rows_pattern(self) -> str:
        """Matches the keys of all rows, as SCAN understands it."""
        return f"{_literally(self.prefix)}row:*"

    @property
    def indexes_pattern(self) -> str:
        """Matches the keys of all indexes."""
        return f"{_literally(self.prefix)}index:*"

    @property
    def groups_patterns(self) -> tuple[str, str]:
        """Match the keys of all groups."""
        return f"{_literally(self.prefix)}sum:*", f"{_literally(self.prefix)}ranked:*"


@dataclass(frozen=True, slots=True)
class ProjectionKeys:
    """The keys that say which generation of a projection is read, and which one of this version is being built.

    A rebuild works on the one under `rebuilding`; under `kept` is the one that was read before a rebuild's flip.
    """

    namespace: str
    projection: str
    version: int = 1

    @property
    def _prefix(self) -> str:
        return f"{{{self.namespace}:{self.projection}}}:"

    @property
    def live(self) -> str:
        return f"{self._prefix}live"

    @property
    def building(self) -> str:
        return self._of_version("building", self.version)

    @property
    def rebuilding(self) -> str:
        return self._of_version("rebuilding", self.version)

    @property
    def kept(self) -> str:
        return f"{self._prefix}kept"

    @property
    def rebuild_lease(self) -> str:
        """A string that expires: which rebuild may change the pointers."""
        return f"{self._prefix}rebuild"

    @property
    def begun(self) -> list[str]:
        """What is being built and rebuilt, of this version and of the versions before it."""
        versions = range(1, self.version + 1)
        return [self._of_version(name, version) for version in versions for name in ("building", "rebuilding")]

    @property
    def begun_before(self) -> list[str]:
        """The same of the versions before this one alone."""
        return self.begun[:-2]

    def view(self, name: str) -> str:
        """A string: what the view of that name is of."""
        return f"{self._prefix}view:{name}"

    def view_built(self, name: str, number: int) -> str:
        """A set: the partitions of that view that are built."""
        return f"{self._prefix}view_built:{name}:{number}"

    def view_begun(self, name: str, number: int) -> str:
        """A set: the partitions of that view that were begun."""
        return f"{self._prefix}view_begun:{name}:{number}"

    def view_lease(self, name: str) -> str:
        """A string that expires: who builds the view of that name."""
        return f"{self._prefix}view_lease:{name}"

    @property
    def views(self) -> str:
        """A sorted set: the names of all views, by when they expire."""
        return f"{self._prefix}views"

    @property
    def last_number(self) -> str:
        return f"{self._prefix}last_generation"

    def caught_up(self, generation: int) -> str:
        """A set: the partitions of that generation that have reached the end of the log."""
        return f"{self._prefix}caught_up:{generation}"

    def partition(self, generation: int, partition: int) -> PartitionKeys:
        return PartitionKeys(self.namespace, self.projection, generation, partition, self.version)

    def _of_version(self, name: str, version: int) -> str:
        return f"{self._prefix}{name}" if version == 1 else f"{self._prefix}{name}:v{version}"

    @property
    def generations_pattern(self) -> str:
        """Matches the keys of every partition of every generation of every version, as SCAN understands it."""
        return f"{{{_literally(self.namespace)}:{_literally(self.projection)}:*"

    def generation_of(self, key: str) -> tuple[int, int] | None:
        """The version and number of the generation that a key belongs to, None for a key of another shape."""
        found = _GENERATION.match(key.removeprefix(f"{{{self.namespace}:{self.projection}:"))
        return (int(found[1] or 1), int(found[2])) if found else None


def workers_key(namespace: str) -> str:
    """A hash: what each worker of the namespace announces."""
    return f"{{{namespace}}}:workers"


def _literally(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)
