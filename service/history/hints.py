"""Says which streams a name may be meant for that is the name of none."""

from collections.abc import Callable
from typing import Final, TypeVar

from infrastructure.eventstore.log_reader import LogReader
from infrastructure.history.errors import NothingTraced, UnknownCategory, UnknownStream
from infrastructure.history.records import Records
from service.history.sources import boundary_of, names_like

_FORMS: Final = "a stream's name is such as order-<id> or stock:SKU"
ErrorT = TypeVar("ErrorT", bound=Exception)


def with_hint(error: ErrorT, name: str, exists: Callable[[str], bool]) -> ErrorT | UnknownStream:
    """The error about a stream; where its name has no known category, one with the streams that it may stand for."""
    try:
        boundary_of(name)
    except UnknownCategory:
        if found := _found(name, exists):
            return UnknownStream(name, found)
        return UnknownStream(name, _FORMS) if isinstance(error, UnknownStream) else error
    return error


def hinted(error: UnknownStream | UnknownCategory, records: Records) -> UnknownStream | UnknownCategory:
    """`with_hint` for the stream of these records. Raises StoreUnavailable."""
    return with_hint(error, records.stream, exists_beside(records))


def exists_beside(records: Records) -> Callable[[str], bool]:
    """Tells of a name whether there is such a stream in the log of these records; it raises StoreUnavailable."""
    return lambda name: bool(records.page_of(name, 0, 1))


def with_stream(error: NothingTraced, reader: LogReader) -> NothingTraced:
    """The error; where streams are called by what was taken for a correlation id, with their names.

    Raises StoreUnavailable.
    """
    name = str(error.correlation_id)
    return NothingTraced(error.correlation_id, error.where, _found(name, exists_beside(Records(reader, name))))


def _found(name: str, exists: Callable[[str], bool]) -> str:
    found = names_like(name, exists)
    return f"there is {' and '.join(found)}" if found else ""
