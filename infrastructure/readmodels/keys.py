"""Names all keys of read models in Redis; keys that are written together share a hash tag."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """The keys of one partition of one generation: one slot of a cluster, hence one transaction."""

    namespace: str
    projection: str
    generation: int
    partition: int

    @property
    def prefix(self) -> str:
        return f"{{{self.namespace}:{self.projection}:{self.generation}:p{self.partition}}}:"

    @property
    def checkpoint(self) -> str:
        return f"{self.prefix}checkpoint"

    @property
    def status(self) -> str:
        return f"{self.prefix}status"

    @property
    def ids(self) -> str:
        """A sorted set: the ids of all rows."""
        return f"{self.prefix}ids"

    @property
    def sizes(self) -> str:
        """A hash: how many entries each index has."""
        return f"{self.prefix}sizes"

    def row(self, aggregate_id: str) -> str:
        """A hash: one field for each member of the row."""
        return f"{self.prefix}row:{aggregate_id}"

    def index(self, name: str) -> str:
        """A sorted set: members by commit position."""
        return f"{self.prefix}index:{name}"


@dataclass(frozen=True, slots=True)
class ProjectionKeys:
    """The keys that say which generation of a projection is read, and which one is being built."""

    namespace: str
    projection: str

    @property
    def _prefix(self) -> str:
        return f"{{{self.namespace}:{self.projection}}}:"

    @property
    def live(self) -> str:
        return f"{self._prefix}live"

    @property
    def building(self) -> str:
        return f"{self._prefix}building"

    @property
    def last_number(self) -> str:
        return f"{self._prefix}last_generation"

    def caught_up(self, generation: int) -> str:
        """A set: the partitions of that generation that have reached the end of the log."""
        return f"{self._prefix}caught_up:{generation}"

    def partition(self, generation: int, partition: int) -> PartitionKeys:
        return PartitionKeys(self.namespace, self.projection, generation, partition)

    @property
    def generations_pattern(self) -> str:
        """Matches the keys of every partition of every generation, as SCAN understands it."""
        return f"{{{_literally(self.namespace)}:{_literally(self.projection)}:*"

    def generation_of(self, key: str) -> int | None:
        """The generation that a key belongs to, None for a key of another shape."""
        number, _, rest = key.removeprefix(f"{{{self.namespace}:{self.projection}:").partition(":")
        return int(number) if rest.startswith("p") and number.isascii() and number.isdigit() else None


def _literally(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)
