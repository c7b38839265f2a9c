"""What can go wrong between us and the event store.

EventStoreError
├── StoreUnavailable      not reachable, not ready, or no answer in time; it may or may not have happened
├── Overloaded            too many wait already, or for too long; this one was not sent
├── WrongExpectedVersion  somebody else appended first; load again and decide again
├── ConcurrencyConflict   too many races lost
├── VersionMismatch       the caller expected another version
├── CommandIdReused       this command id stands for another request
├── AppendRefused         the store will never take this: not allowed, malformed
├── EventTooLarge         the store will never take this: it has too many bytes
├── StreamGone            the stream was tombstoned, for good
├── UnknownEventType      a stored name that this code doesn't know
├── UnknownEventVersion   a version of a stored name that this code doesn't know
└── UnreadableEvent       a payload or metadata that doesn't fit its type
"""

from typing import Final
from uuid import UUID


class EventStoreError(Exception):
    """Base of all that the event store's client side raises."""


class StoreUnavailable(EventStoreError):
    """The store at `address` can't be used now, for this reason. What was sent may still have happened.

    `for_size`: it has ended a call since something on it was too large. Not `is_away`: it may be well, and what was
    asked of it was more than fits into the time that the caller had.
    """

    def __init__(self, address: str, reason: str, *, for_size: bool = False, is_away: bool = True) -> None:
        super().__init__(f"The event store at {address} can't be used: {reason}")
        self.address = address
        self.reason = reason
        self.for_size = for_size
        self.is_away = is_away


class Overloaded(EventStoreError):
    """So many wait for `place`, a store or an aggregate, or for so long, that no more is taken on; nothing was sent."""

    def __init__(self, place: str, waiting: int) -> None:
        super().__init__(f"{waiting} wait for {place} already")
        self.place = place
        self.waiting = waiting


class WrongExpectedVersion(EventStoreError):
    """An append found its stream at another version: at `current`, or None where it holds nothing or didn't say."""

    def __init__(self, stream: str, current: int | None) -> None:
        super().__init__(f"{stream} was appended to meanwhile; it ends at {current}")
        self.stream = stream
        self.current = current


class ConcurrencyConflict(EventStoreError):
    """Every attempt lost its race; sending the command again may succeed."""

    def __init__(self, stream: str, attempts: int) -> None:
        super().__init__(f"{stream} was appended to by others during each of {attempts} attempts")
        self.stream = stream
        self.attempts = attempts


class VersionMismatch(EventStoreError):
    """The caller wanted the command decided at version `expected`; it is at `current`, None where nothing exists."""

    def __init__(self, stream: str, expected: int, current: int | None) -> None:
        super().__init__(f"{stream} is at version {current}, not {expected}")
        self.stream = stream
        self.expected = expected
        self.current = current


class CommandIdReused(EventStoreError):
    """The stream already holds events of this command id, and they answer another request."""

    def __init__(self, stream: str, command_id: UUID) -> None:
        super().__init__(f"{stream} holds another request under the command id {command_id}")
        self.stream = stream
        self.command_id = command_id


class AppendRefused(EventStoreError):
    """The store takes no such append, now or later."""

    def __init__(self, stream: str, reason: str) -> None:
        super().__init__(f"{stream} can't be appended to: {reason}")
        self.stream = stream
        self.reason = reason


class EventTooLarge(EventStoreError):
    """The events of an append are larger than the store takes, whatever its version answers to that."""

    def __init__(self, stream: str, reason: str) -> None:
        super().__init__(f"{stream} can't be appended to: {reason}")
        self.stream = stream
        self.reason = reason


class StreamGone(EventStoreError):
    """The stream was tombstoned; its name can't be used again."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"{stream} was deleted for good")
        self.stream = stream


class UnknownEventType(EventStoreError):
    """The event at `version` of `stream` has a stored name that nobody here declares."""

    def __init__(self, stream: str, version: int, position: int, type: str) -> None:  # noqa: A002 - the field's word
        super().__init__(f"{stream} holds at version {version} (position {position}) the unknown type {type}")
        self.stream = stream
        self.version = version
        self.position = position
        self.type = type


class UnknownEventVersion(EventStoreError):
    """The event at `version` of `stream` has a known name, and a schema version of it that nobody here declares."""

    def __init__(self, stream: str, version: int, position: int, type: str, schema_version: int) -> None:  # noqa: A002 - the field's word
        super().__init__(
            f"{stream} holds at version {version} (position {position}) {type} in the unknown version {schema_version}"
        )
        self.stream = stream
        self.version = version
        self.position = position
        self.type = type
        self.schema_version = schema_version


class UnreadableEvent(EventStoreError):
    """The event at `version` of `stream` does not fit its type."""

    def __init__(self, stream: str, version: int, position: int, reason: str) -> None:
        super().__init__(f"{stream} can't be read at version {version} (position {position}): {reason}")
        self.stream = stream
        self.version = version
        self.position = position
        self.reason = reason


UNREADABLE: Final = (UnknownEventType, UnknownEventVersion, UnreadableEvent)
"""What is raised for an event that this release can't read; each says where it lies."""


def place_of(error: BaseException) -> dict[str, str | int]:
    """Where the event lies that this release can't read, as logs and problems say it; nothing for another error."""
    if not isinstance(error, UNREADABLE):
        return {}
    return {"stream": error.stream, "version": error.version, "position": error.position}
