"""What a persistent subscription has parked, read from the stream in which the store keeps it: links, each with why."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import grpc

from infrastructure.eventstore.errors import StoreUnavailable, StreamGone
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import Streams

_PAGE: Final = 100
_REFUSED: Final = "Client explicitly NAK'ed message.\n"
_LINK: Final = re.compile(r"([0-9]{1,19})@(.+)", re.DOTALL)
_GIVEN_UP: Final = "Reached retry count of "
Parker: TypeAlias = Literal["consumer", "event store"]


@dataclass(frozen=True, slots=True)
class Parked:
    """The numbers, in the parked stream, of the oldest and the newest message there, and when the oldest came."""

    first: int
    last: int
    oldest: datetime | None

    @property
    def count(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class ParkedCount:
    """How many messages a group has parked. Where its parked stream may not be read, `found` is None and the store's
    own count has to do, which is not exact."""

    count: int
    exact: bool
    found: Parked | None = None


class ParkedMessage(NamedTuple):
    """A message, under its number in the parked stream: which event it is, when it was parked, by whom and why.

    `version` of `stream` is the event; both are None where what is stored names none. `event` is the event without its
    data, None where it is gone. `by` is None where the store's words do not tell.
    """

    number: int
    at: datetime | None
    by: Parker | None
    reason: str
    stream: str | None
    version: int | None
    event: Record | None


def parked_stream(key: str) -> str:
    """The stream in which the store keeps what the group of that key has parked."""
    return f"$persistentsubscription-{key}-parked"


async def parked_in(streams: Streams, stream: str) -> Parked | None:
    """What a parked stream holds now, None where it holds nothing. Raises StoreUnavailable."""
    try:
        first = await streams.records(stream, 0, 1)
        last = await streams.records(stream, None, 1, backwards=True) if first else None
    except StreamGone:
        return None
    return Parked(first[0].version, last[0].version, first[0].at) if first and last else None


async def parked_count(streams: Streams, key: str, told: int) -> ParkedCount:
    """The same in numbers, also for a user who may not read it: then it is what the store has `told`.

    That may be wrong in both directions: a store may count what has been truncated away, and none after an update.
    Raises StoreUnavailable.
    """
    try:
        found = await parked_in(streams, parked_stream(key))
    except StoreUnavailable as error:
        if not _is_denied(error):
            raise
        return ParkedCount(told, exact=False)
    return ParkedCount(0 if found is None else found.count, exact=True, found=found)


def _is_denied(error: StoreUnavailable) -> bool:
    call = next(iter(getattr(error.__cause__, "args", ())), None)
    return isinstance(call, grpc.aio.AioRpcError | grpc.Call) and call.code() is grpc.StatusCode.PERMISSION_DENIED


def parked_messages(reader: LogReader, stream: str, parked: Parked) -> Iterator[ParkedMessage]:
    """The messages that were found in a parked stream and are still there, the oldest first, few in memory at a time.

    Raises StoreUnavailable.
    """
    for first in range(parked.first, parked.last + 1, _PAGE):
        limit = min(_PAGE, parked.last + 1 - first)
        yield from _page(reader, stream, first, limit)


def _page(reader: LogReader, stream: str, first: int, limit: int) -> Iterator[ParkedMessage]:
    try:
        events = reader.linked_events(stream, first, limit)
        links = reader.page(stream, first, limit) or ()  # the later look: what is gone by now is not told of
    except StreamGone:
        return
    for link in links:
        if link.version < first + limit:  # where the first ones are gone, the page goes beyond
            yield _message(link, events.get(link.version))


def _message(link: Record, event: Record | None) -> ParkedMessage:
    stream, version = _target(link)
    by, reason = _why(link)
    return ParkedMessage(link.version, link.at, by, reason, stream, version, event)


def _target(link: Record) -> tuple[str | None, int | None]:
    """The stream and the version that a link names; anybody may have written to its stream."""
    found = _LINK.fullmatch(link.data.decode(errors="backslashreplace"))
    return (found[2], int(found[1])) if found else (None, None)


def _why(link: Record) -> tuple[Parker | None, str]:
    try:
        noted: Any = json.loads(link.metadata)
        reason = str(noted["reason"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None, ""
    if reason.startswith(_REFUSED):
        return "consumer", reason.removeprefix(_REFUSED)
    return ("event store" if reason.startswith(_GIVEN_UP) else None), reason
