"""Pages of the records of a stream; each names the version at which the next page begins."""

from collections.abc import Sequence
from dataclasses import dataclass

from infrastructure.eventstore.record import Record
from infrastructure.history.records import Records


@dataclass(frozen=True, slots=True)
class RecordsPage:
    """Records in the order of the stream; the next page begins at version `following`, None: this is the last."""

    records: Sequence[Record]
    following: int | None


def records_page(records: Records, first: int, limit: int) -> RecordsPage:
    """At most `limit` records from version `first` on. Raises as `Records` does."""
    page = records.page(first, limit + 1)
    if not page:
        records.last()  # raises where there is no such stream
    return RecordsPage(page[:limit], page[limit].version if len(page) > limit else None)
