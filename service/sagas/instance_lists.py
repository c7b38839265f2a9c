"""Lists the instances of all sagas as one list, from the read model of each: the latest change first."""

import heapq
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from domain.stream_name import HEX_DIGITS, aggregate_id_in, category_in, stream_name
from infrastructure.readmodels.answers import RowAtPosition
from infrastructure.readmodels.partition_result import earliest
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.text_order import MemberPage, PageQuery
from projections.projection import Projection
from projections.row_lists import Range, sortable_time
from projections.saga_instance import SagaInstance, Status
from projections.saga_status import SagaStatuses, entries, listed_in, stream_in


class StatusReader(Protocol):
    """Reads the read models, of a request or of a command, as a tenant may."""

    @property
    def tenant(self) -> str:
        """Whose instances are read."""
        ...

    def row(self, projection: Projection[SagaStatuses], key: str) -> Awaitable[RowAtPosition[SagaStatuses]]:
        """The row of one id."""
        ...

    def members(self, projection: Projection[Any], page: PageQuery) -> Awaitable[MemberPage]:
        """A part of an index."""
        ...

    def rows(self, projection: Projection[SagaStatuses], keys: Sequence[str]) -> Awaitable[list[SagaStatuses]]:
        """The rows that there are of these ids."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """Which instances: of this status, at this step, of this id, to which nothing has happened since `before`.

    At most `limit`, after the member `after`.
    """

    status: Status | None = None
    step: str | None = None
    key: str | None = None
    before: datetime | None = None
    limit: int = 20
    after: str | None = None

    def part(self, projection: Projection[Any]) -> Range:
        """The part of an index of this read model that has them."""
        below = "" if self.before is None else sortable_time(self.before)
        return Range(listed_in(projection.category, self.status, self.step), below=below)

    def has(self, projection: Projection[Any], row: SagaStatuses, instance: SagaInstance) -> bool:
        """Whether the instance is one of them, as its row is now."""
        part, mine = self.part(projection), (entry for entry in entries(row) if entry.member.endswith(instance.stream))
        return any(part.has(entry.index, entry.member) for entry in mine if stream_in(entry.member) == instance.stream)


@dataclass(frozen=True, slots=True)
class Listed:
    """Instances, and the member after which the next page begins, None at the end; as of the `token`."""

    instances: Sequence[SagaInstance]
    next: str | None
    token: PositionToken


async def listed(reader: StatusReader, projections: Sequence[Projection[SagaStatuses]], asked: Asked) -> Listed:
    """The instances of these sagas. Raises what reading raises."""
    if asked.key is not None:
        return await _of_key(reader, projections, asked, asked.key)
    pages = {
        each.name: await reader.members(each, PageQuery(each_part, asked.limit, asked.after, newest_first=True))
        for each, each_part in ((each, asked.part(each)) for each in projections)
    }
    found = list(heapq.merge(*(page.members for page in pages.values()), reverse=True))
    shown = list(islice(found, asked.limit))
    is_last = len(found) == len(shown) and all(page.next is None for page in pages.values())
    instances = await _instances(reader, projections, asked, shown)
    token = earliest([page.token for page in pages.values()])
    return Listed(instances, None if is_last else shown[-1], token)


async def _instances(
    reader: StatusReader, projections: Sequence[Projection[SagaStatuses]], asked: Asked, members: Sequence[str]
) -> list[SagaInstance]:
    """Those that are still to be listed, in this order."""
    streams, found = [stream_in(member) for member in members], dict[str, SagaInstance]()
    for projection in projections:
        keys = [aggregate_id_in(each) for each in streams if category_in(each) == projection.category]
        for row in await reader.rows(projection, keys):
            found |= {each.stream: each for each in row.instances if asked.has(projection, row, each)}
    return [found[stream] for stream in streams if stream in found]


async def _of_key(
    reader: StatusReader, projections: Sequence[Projection[SagaStatuses]], asked: Asked, key: str
) -> Listed:
    """One of each saga at most, on one page."""
    held = key if key[-1:] in HEX_DIGITS else "0"  # of others there is no instance
    rows = [(each, await reader.row(each, held)) for each in projections]
    own = [
        (each, read.row, read.row.of_stream(stream_name(each.category, held, reader.tenant)))
        for each, read in rows
        if read.row is not None and held == key
    ]
    found = [instance for each, row, instance in own if instance is not None and asked.has(each, row, instance)]
    ordered = sorted(found, key=lambda each: each.updated_at, reverse=True)
    return Listed(ordered, None, earliest([read.token for _, read in rows]))
