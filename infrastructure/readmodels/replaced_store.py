"""Logs that the event store is another one than the read models in Redis were folded from."""

from typing import Final

import structlog

from infrastructure.eventstore.identity import IDENTITY_STREAM
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.times import time_text

_REASON: Final = (
    "the read models in Redis were folded from another event store: its log was removed or replaced, or one of the two "
    "addresses names another server than before"
)
_CONSEQUENCE: Final = (
    "they are built anew from this one's log alone, which was begun at {begun}; to keep what the other holds, stop, "
    "put its log or the address back, and start again"
)
_logger: Final = structlog.get_logger(__name__)


def log_replaced_store(before: str, now: str, reader: LogReader, redis: str) -> None:
    """One line for the two identities; `reader` reads the store that is there, `redis` is an address.

    Raises StoreUnavailable, StreamGone.
    """
    first = next(iter(reader.page(IDENTITY_STREAM, 0, 1) or ()), None)
    begun = "an unknown time" if first is None or first.at is None else time_text(first.at.replace(microsecond=0))
    _logger.warning(
        "event_store_replaced",
        reason=_REASON,
        consequence=_CONSEQUENCE.format(begun=begun),
        eventstore=reader.address,
        redis=redis,
        store_before=before,
        store=now,
    )
