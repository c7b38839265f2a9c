"""Tells one event store from another: by an event that the first service to come writes into it."""

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

import stamina

from infrastructure.eventstore.errors import StreamGone, UnreadableEvent, WrongExpectedVersion
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.streams import Streams

IDENTITY_STREAM: Final = "foldstream-store-identity"
_SECONDS: Final = 2.5
_retrying: Final = stamina.RetryingCaller(attempts=5, timeout=5.0, wait_initial=0.01, wait_max=0.2)
_retrying_async: Final = stamina.AsyncRetryingCaller(attempts=5, timeout=5.0, wait_initial=0.01, wait_max=0.2)


def store_identity(reader: LogReader) -> str:
    """The id of the store, given to it now if it had none; the same for all who ask.

    Raises StoreUnavailable, StreamGone, UnreadableEvent.
    """
    return _retrying(WrongExpectedVersion, _known_or_given, reader)


async def known_identity(log: Log, seconds: float) -> str | None:
    """The id of the store, None where nobody has given it one yet; nothing is written.

    Raises StoreUnavailable, StreamGone, UnreadableEvent.
    """
    return _identity_in(await log.of_stream(IDENTITY_STREAM, 0, 1, seconds))


async def known_or_given_identity(streams: Streams) -> str:
    """The same as `store_identity`, asked in an event loop. Raises what appending raises, too."""
    return await _retrying_async(WrongExpectedVersion, _known_or_given_async, streams)


def _known_or_given(reader: LogReader) -> str:
    known = _identity_in(reader.page(IDENTITY_STREAM, 0, 1))
    if known is not None:
        return known
    store_id = str(uuid4())
    reader.append(IDENTITY_STREAM, -1, _record(store_id), seconds=_SECONDS)
    return store_id


async def _known_or_given_async(streams: Streams) -> str:
    known = _identity_in(await streams.records(IDENTITY_STREAM, 0, 1))
    if known is not None:
        return known
    store_id = str(uuid4())
    await streams.append(IDENTITY_STREAM, -1, [_record(store_id)])
    return store_id


def _record(store_id: str) -> NewRecord:
    return NewRecord("StoreIdentified", json.dumps({"store_id": store_id}).encode())


def _identity_in(records: Sequence[Record] | None) -> str | None:
    if records is None:
        return None
    if not records:
        raise StreamGone(IDENTITY_STREAM)
    record = records[0]
    try:
        return str(UUID(json.loads(record.data)["store_id"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableEvent(IDENTITY_STREAM, record.version, record.position or 0, "it holds no store_id") from error
