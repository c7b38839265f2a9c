"""Follows a correlation id through the whole log: which command left which events, and what those caused."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from esdbclient import EventStoreDBClient, RecordedEvent
from esdbclient.exceptions import (
    DeadlineExceeded,
    DiscoveryFailed,
    EventStoreDBClientException,
    NodeIsNotLeader,
    NotFound,
    ServiceUnavailable,
)
from pydantic import ValidationError

from domain.message import Metadata
from infrastructure.eventstore.client import address_of, translated
from infrastructure.eventstore.streams import partition_pattern
from infrastructure.history.errors import NothingTraced
from infrastructure.history.moment import written

_PROJECTION: Final = "$by_correlation_id"
_SECONDS: Final = 10.0
_AWAY: Final = (ServiceUnavailable, DeadlineExceeded, DiscoveryFailed, NodeIsNotLeader)


@dataclass(frozen=True, slots=True)
class Found:
    """The records that carry a correlation id, in the order of the log, and where they were looked for.

    `searched` counts the records that were looked at; None where the system projection had the answer. `complete`
    says that `limit` did not cut it short.
    """

    records: tuple[RecordedEvent, ...]
    searched: int | None
    complete: bool


@dataclass(slots=True)
class Told:
    """A record in the tree, and the commands that it caused."""

    record: RecordedEvent
    caused: list["Asked"] = field(default_factory=list)


@dataclass(slots=True)
class Asked:
    """A command in the tree, or a saga's reaction, and the records that it left in one stream."""

    command_id: UUID
    causation_id: UUID
    actor: str
    stream: str
    left: list[Told] = field(default_factory=list)


def find(
    client: EventStoreDBClient,
    correlation_id: UUID,
    categories: Iterable[str],
    *,
    limit: int,
    since: datetime | None = None,
) -> Found:
    """By the links of the system projection where it runs; else by reading the streams of these categories backwards.

    That search ends after `limit` records, and at the first that was written before `since`. Raises NothingTraced,
    StoreUnavailable.
    """
    with translated(address_of(client)):
        if _projection_runs(client):
            linked = _linked(client, correlation_id, limit)
            found = Found(linked, None, complete=len(linked) < limit)
            where = f"the links of {_PROJECTION}"
        else:
            found = _searched(client, correlation_id, categories, limit, since)
            bound = "" if found.complete else " (--limit; there are older ones)"
            where = f"the newest {found.searched:,} events{bound}"
    if not found.records:
        raise NothingTraced(correlation_id, where)
    return found


def tree_of(records: Sequence[RecordedEvent]) -> list[Asked]:
    """The commands that no earlier one of these records caused, each with all that followed from it."""
    roots: list[Asked] = []
    asked: dict[tuple[UUID, str], Asked] = {}
    told: dict[UUID, Told] = {}
    for record in records:
        if (said := metadata_of(record)) is None:
            continue
        key = said.command_id, record.stream_name
        if key not in asked:
            asked[key] = Asked(said.command_id, said.causation_id, said.actor, record.stream_name)
            cause = told.get(said.causation_id)
            (roots if cause is None else cause.caused).append(asked[key])
        told[record.id] = Told(record)
        asked[key].left.append(told[record.id])
    return roots


def metadata_of(record: RecordedEvent) -> Metadata | None:
    """Who and what caused a record; None where it does not say so in our words."""
    try:
        return Metadata.model_validate_json(record.metadata)
    except ValidationError:
        return None


def _projection_runs(client: EventStoreDBClient) -> bool:
    try:
        return client.get_projection_statistics(name=_PROJECTION, timeout=_SECONDS).status == "Running"
    except EventStoreDBClientException as error:
        if isinstance(error, _AWAY):
            raise
        return False  # a server without projections, or a user who may not ask: the search finds the same


def _linked(client: EventStoreDBClient, correlation_id: UUID, limit: int) -> tuple[RecordedEvent, ...]:
    try:
        records = client.get_stream(f"$bc-{correlation_id}", resolve_links=True, limit=limit, timeout=_SECONDS)
    except NotFound:
        return ()
    return tuple(sorted((record for record in records if not record.is_link_event), key=_place))


def _searched(
    client: EventStoreDBClient, correlation_id: UUID, categories: Iterable[str], limit: int, since: datetime | None
) -> Found:
    pattern = f"(?:{'|'.join(partition_pattern(category, 0, 1) for category in categories)})"
    newest_first = client.read_all(
        backwards=True, filter_include=(pattern,), filter_by_stream_name=True, limit=limit, timeout=12 * _SECONDS
    )
    found: list[RecordedEvent] = []
    searched = 0
    for record in _until(newest_first, since):
        searched += 1
        if _carries(record, correlation_id):
            found.append(record)
    return Found(tuple(reversed(found)), searched, complete=searched < limit)


def _until(newest_first: Iterable[RecordedEvent], since: datetime | None) -> Iterator[RecordedEvent]:
    for record in newest_first:
        if since is not None and written(record) < since:
            return
        yield record


def _carries(record: RecordedEvent, correlation_id: UUID) -> bool:
    text = str(correlation_id)
    if text.encode() not in record.metadata:
        return False
    try:
        said = json.loads(record.metadata)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("$correlationId") == text


def _place(record: RecordedEvent) -> tuple[int, int]:
    return record.commit_position or 0, record.stream_position
