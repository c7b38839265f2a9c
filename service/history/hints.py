"""Says which streams a name may be meant for that is the name of none."""

from collections.abc import Callable
from typing import Final, TypeVar

from domain.stream_name import DEFAULT_TENANT
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.history.errors import NothingTraced, UnknownCategory, UnknownStream
from infrastructure.history.records import Records
from service.history.sources import boundary_of, name_in_tenant, names_like

_FORMS: Final = "a stream's name is such as order-<id> or stock:SKU"
ErrorT = TypeVar("ErrorT", bound=Exception)


def with_hint(
    error: ErrorT, name: str, exists: Callable[[str], bool], tenant: str = DEFAULT_TENANT
) -> ErrorT | UnknownStream:
    """The error about a stream; where its name has no known category, one with those that it may stand for."""
    try:
        boundary_of(name)
    except UnknownCategory:
        if found := _found(name, exists, tenant):
            return UnknownStream(name, found)
        return UnknownStream(name, _FORMS) if isinstance(error, UnknownStream) else error
    return error


def hinted(
    error: UnknownStream | UnknownCategory, records: Records, tenant: str = DEFAULT_TENANT
) -> UnknownStream | UnknownCategory:
    """`with_hint` for the stream of these records, as its tenant calls it. Raises StoreUnavailable."""
    name = name_in_tenant(records.stream, tenant)
    named = UnknownStream(name, error.hint) if isinstance(error, UnknownStream) else error
    return with_hint(named, name, exists_beside(records), tenant)


def exists_beside(records: Records) -> Callable[[str], bool]:
    """Tells of a name whether there is such a stream in the log of these records; it raises StoreUnavailable."""
    return lambda name: bool(records.page_of(name, 0, 1))


def with_stream(error: NothingTraced, reader: LogReader, tenant: str = DEFAULT_TENANT) -> NothingTraced:
    """The error; where a tenant's streams are called by what was taken for a correlation id, with their names.

    Raises StoreUnavailable.
    """
    name = str(error.correlation_id)
    return NothingTraced(error.correlation_id, error.where, _found(name, exists_beside(Records(reader, name)), tenant))


def _found(name: str, exists: Callable[[str], bool], tenant: str) -> str:
    found = names_like(name, exists, tenant)
    return f"there is {' and '.join(found)}" if found else ""
