"""An event before and after it is written to the log."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PendingRecord:
    """An event to be written."""

    id: UUID
    type: str
    is_json: bool
    data: bytes
    metadata: bytes


@dataclass(frozen=True, slots=True)
class LogRecord:
    """An event as the log keeps it; `created` counts 100-nanosecond ticks since 1970 (UTC)."""

    position: int
    stream: str
    number: int
    id: UUID
    type: str
    is_json: bool
    created: int
    data: bytes
    metadata: bytes
