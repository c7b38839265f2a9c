"""One event on its way from the source of a group to one of its consumers."""

from dataclasses import dataclass, replace
from uuid import UUID

from infrastructure.embedded.eventstoredb.storage.record import LogRecord


@dataclass(frozen=True, slots=True)
class Message:
    """An event to deliver.

    `record` is what the source has, possibly a link; `event` is what it stands for (None where a link
    leads nowhere). `sequence` counts the source's events, `before` is the position of the previous one: what a
    checkpoint says while this message is open. A replayed message came from the parked stream.
    """

    record: LogRecord
    event: LogRecord | None
    sequence: int
    before: int | None
    retry_count: int = 0
    replayed: bool = False

    @property
    def id(self) -> UUID:
        """What consumers answer with: the id of the original record."""
        return self.record.id

    @property
    def link(self) -> LogRecord | None:
        return None if self.event is self.record else self.record

    @property
    def size(self) -> int:
        """Roughly the bytes it takes to hold or to send it."""
        return sum(len(part.data) + len(part.metadata) for part in (self.event, self.link) if part)

    def again(self) -> "Message":
        return replace(self, retry_count=self.retry_count + 1)
