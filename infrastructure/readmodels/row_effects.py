"""What a row has in indexes and sums, under the names of its tenant: what one has is apart from that of the others."""

from collections.abc import Iterable
from typing import Any

from domain.stream_name import row_key, tenant_prefix
from domain.value import changed
from projections.projection import IndexChange, Projection, RowT
from projections.sums import Place
from projections.sums import add_change as add_change_to


def name_in(projection: Projection[Any], tenant: str, name: str) -> str:
    """Under which name the tenant's part of an index, or of a group of sums, is stored."""
    return name if name in projection.shared else row_key(tenant, name)


def index_changes(
    projection: Projection[RowT], key: str, before: RowT | None, after: RowT | None
) -> Iterable[IndexChange]:
    """What the change of the row of this key changes in the indexes. Raises what the projection raises."""
    changes = projection.index(before, after)
    prefix = tenant_prefix(key)
    return [_in_tenant(projection, prefix, change) for change in changes] if prefix else changes


def add_change(
    projection: Projection[RowT], key: str, rows: tuple[RowT | None, RowT | None], to: dict[Place, int]
) -> None:
    """Adds what the change of the row of this key, before and after, changes in the sums. Raises as it does there."""
    prefix = tenant_prefix(key)
    if not prefix:
        add_change_to(projection.sums, *rows, to)
        return
    own: dict[Place, int] = {}
    add_change_to(projection.sums, *rows, own)
    for (stored, member), by in own.items():
        kind, colon, group = stored.partition(":")
        place = (stored if group in projection.shared else f"{kind}{colon}{prefix}{group}", member)
        to[place] = to.get(place, 0) + by


def _in_tenant(projection: Projection[Any], prefix: str, change: IndexChange) -> IndexChange:
    entry = change.entry
    if entry.index in projection.shared:
        return change
    return changed(change, entry=changed(entry, index=f"{prefix}{entry.index}"))
