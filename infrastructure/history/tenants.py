"""Counts what each tenant has in the log, by reading it once from its beginning."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from domain.stream_name import DEFAULT_TENANT, StreamName
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import category_pattern


@dataclass(slots=True)
class TenantCounts:
    """How many `events` a tenant has, and by their categories how many `streams` that begin in the log."""

    events: int = 0
    streams: Counter[str] = field(default_factory=Counter)


def count_tenants(
    reader: LogReader,
    categories: Iterable[str],
    counted: Callable[[Iterator[Record]], Iterator[Record]] = iter,
) -> Mapping[str, TenantCounts]:
    """What each tenant has in streams of these categories, the default one first and the others by name.

    In memory there are a few numbers for each tenant. A stream whose first event was truncated away is not counted; its
    events are. The log's records go through `counted`. Raises StoreUnavailable.
    """
    found = {DEFAULT_TENANT: TenantCounts()}
    for record in counted(reader.records(category_pattern(categories))):
        name = StreamName.parse(record.stream)
        counts = found.setdefault(name.tenant, TenantCounts())
        counts.events += 1
        if record.version == 0:
            counts.streams[name.category] += 1
    others = sorted(found.keys() - {DEFAULT_TENANT})
    return {tenant: found[tenant] for tenant in (DEFAULT_TENANT, *others)}
