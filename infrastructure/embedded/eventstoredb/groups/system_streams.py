"""The streams of the log in which a group keeps its checkpoints and its parked messages."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import structlog

from infrastructure.embedded.eventstoredb.groups.definition import Definition
from infrastructure.embedded.eventstoredb.groups.effects import Park
from infrastructure.embedded.eventstoredb.groups.message import Message
from infrastructure.embedded.eventstoredb.groups.pinned import LINK
from infrastructure.embedded.eventstoredb.log import ANY, MAX, EventLog
from infrastructure.embedded.eventstoredb.storage.record import LogRecord, PendingRecord
from infrastructure.times import time_text

CHECKPOINT = "$SubscriptionCheckpoint"
METADATA = "$metadata"
ADMINISTRATORS = dict.fromkeys(("$r", "$w", "$d", "$mr", "$mw"), "$admins")
logger = structlog.get_logger()


def checkpoint_stream(key: str) -> str:
    return f"$persistentsubscription-{key}-checkpoint"


def parked_stream(key: str) -> str:
    return f"$persistentsubscription-{key}-parked"


def json_record(kind: str, document: object) -> PendingRecord:
    return PendingRecord(uuid4(), kind, True, json.dumps(document).encode(), b"")


class CheckpointStream:
    """How far a group has come: the last event of a stream of its own."""

    def __init__(self, log: EventLog, definition: Definition) -> None:
        self._log, self._definition = log, definition
        self.name = checkpoint_stream(definition.key)

    def load(self) -> int | None:
        """None where nothing readable is kept; then the group begins at its start."""
        if not self._log.stream_exists(self.name):
            return None
        last = self._log.read_stream_backwards(self.name, MAX, 1)
        try:
            return self._checked(self._definition.parse_position(json.loads(last[0].data))) if last else None
        except (ValueError, AttributeError, RecursionError):  # anybody can write to this stream
            logger.warning("checkpoint_unreadable", stream=self.name)
            return None

    def _checked(self, position: int) -> int:
        """Raises ValueError for a position that no source has."""
        end = self._log.last_position if self._definition.stream is None else MAX
        if not 0 <= position <= end:
            raise ValueError(f"{position} is not between 0 and {end}")
        return position

    async def write(self, position: int) -> None:
        """Raises LogError."""
        document = self._definition.format_position(position)
        await self._log.append(self.name, ANY, [json_record(CHECKPOINT, document)])


class ParkedStream:
    """Links to the messages that a group gave up, each with the time and the reason."""

    def __init__(self, log: EventLog, definition: Definition) -> None:
        self._log = log
        self.name = parked_stream(definition.key)

    def bounds(self) -> range:
        """The numbers of what is parked now."""
        if not self._log.stream_exists(self.name):
            return range(0)
        first = self._log.read_stream_forwards(self.name, 0, 1)
        return range(first[0].number, self._log.last_number(self.name) + 1) if first else range(0)

    def read(self, first: int, limit: int) -> list[tuple[LogRecord, LogRecord | None]]:
        """Links and what they stand for."""
        links = self._log.read_stream_forwards(self.name, first, limit)
        return [(link, self._log.resolve(link)) for link in links]

    async def write(self, parks: Sequence[Park]) -> None:
        """All or nothing; raises LogError."""
        await self._log.append(self.name, ANY, [_link(park) for park in parks])

    async def forget(self, before: int) -> None:
        """Hides the links up to this number, which are being replayed; raises LogError."""
        document = {"$tb": before, "$acl": ADMINISTRATORS}
        await self._log.append(f"$${self.name}", ANY, [json_record(METADATA, document)])


def _link(park: Park) -> PendingRecord:
    record = park.message.record
    notes: dict[str, str | int] = {"added": time_text(datetime.now(UTC)), "reason": park.reason}
    if record.number:  # the real server leaves zeros out
        notes |= {"subscriptionEventNumber": record.number}
    return PendingRecord(uuid4(), LINK, False, _target(park.message), json.dumps(notes).encode())


def _target(message: Message) -> bytes:
    event = message.event
    return message.record.data if event is None else f"{event.number}@{event.stream}".encode()
