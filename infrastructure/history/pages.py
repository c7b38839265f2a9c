"""The records of a stream in pages, each naming the version that the next one begins at."""

from collections.abc import Sequence
from dataclasses import dataclass

from infrastructure.eventstore.record import Record
from infrastructure.history.records import Records


@dataclass(frozen=True, slots=True)
class RecordsPage:
    """Records in the order of the stream; `following` is the version to go on from, None where that was all."""

    records: Sequence[Record]
    following: int | None


def records_page(records: Records, first: int, limit: int) -> RecordsPage:
    """At most `limit` records from version `first` on. Raises as `Records` does."""
    page = records.page(first, limit + 1)
    if not page:
        records.last()  # says where there is no such stream at all
    return RecordsPage(page[:limit], page[limit].version if len(page) > limit else None)
