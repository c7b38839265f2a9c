"""Records of skips in tests, without a server; and what they come to."""

from uuid import UUID

from infrastructure.eventstore.record import Record
from infrastructure.readmodels.skips import SKIPPED, SKIPS_STREAM, UNSKIPPED, Skip, Skips, recorded_skips
from tests.infrastructure.readmodels.tallies import AT


class SkipLog:
    """Of one projection; a few records of others lie among its own."""

    def __init__(self, projection: str) -> None:
        self._projection = projection
        self._records: list[Record] = []

    def skip(self, stream: str, version: int) -> "SkipLog":
        return self._record(SKIPPED, stream, version)

    def unskip(self, stream: str, version: int) -> "SkipLog":
        return self._record(UNSKIPPED, stream, version)

    def skips(self, projection: str | None = None) -> Skips:
        """As they stand now."""
        recorded = recorded_skips("shop")
        while not recorded.take(self._records[recorded.first :][:500]):
            pass
        assert recorded.known is not None
        return recorded.known.get(projection or self._projection, Skips())

    def __len__(self) -> int:
        return len(self._records)

    def _record(self, kind: str, stream: str, version: int) -> "SkipLog":
        for projection in ("others", self._projection):
            skip = Skip(
                namespace="shop",
                projection=projection,
                stream=stream,
                version=version,
                event_id=UUID(int=version),
                actor="cli:ada",
                why="it is wrong",
                at=AT,
            )
            number, data = len(self._records), skip.model_dump_json().encode()
            self._records.append(Record(SKIPS_STREAM, number, number, UUID(int=number), kind, data, b"", AT))
        return self
