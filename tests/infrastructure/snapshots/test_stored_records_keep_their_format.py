"""Snapshots and segments of an earlier release are read as before, and written as before, byte for byte.

`samples` holds records that it wrote. The text of a filter depends on the machine's zlib, so filters are compared by
their bits.
"""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

import pytest

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.aggregate import Segment, Snapshot
from infrastructure.aggregates.bloom import BloomFilter, filters_in
from infrastructure.aggregates.command_ids import RECENT, SEGMENT, CommandIds
from infrastructure.eventstore.record import NewRecord
from infrastructure.snapshots.record import snapshot_in, snapshot_record, with_checksum
from infrastructure.snapshots.segments import as_stored, segment_in, segment_record
from tests.infrastructure.commands.tally import Tally
from tests.infrastructure.snapshots.tally_snapshots import RULE, recorded

SAMPLES: Final = Path(__file__).parent / "samples"
STREAM: Final = "tally-0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01"
LAST_ID: Final = UUID("637d7df9-9e4c-5c6e-af27-e1d48baa5bd4")
SEALED_BY: Final = UUID("e98257d7-dad5-5e30-9c7d-d1df6abc0796")


def sample(name: str) -> NewRecord:
    """The record as it was written."""
    content = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return NewRecord(content["type"], content["data"].encode(), content["metadata"].encode())


def command_id(version: int) -> UUID:
    """The id of the command that left the event of this version."""
    return uuid5(UUID(int=0), str(version))


def filter_of(versions: Iterable[int]) -> BloomFilter:
    members = BloomFilter()
    for version in versions:
        members.add(command_id(version))
    return members


def recent(versions: range) -> dict[UUID, tuple[int, int]]:
    return {command_id(version): (version, version) for version in versions}


SHORT: Final = Snapshot(
    STREAM, 10, 5210, LAST_ID, Tally(limit=Decimal("100.50"), count=Decimal(11)), CommandIds(recent(range(11)))
)
END: Final = SEGMENT + 70
FIRST_FILTER: Final = filter_of(range(SEGMENT))
LONG: Final = Snapshot(
    STREAM,
    END - 1,
    999_999,
    LAST_ID,
    Tally(count=Decimal(END)),
    CommandIds(recent(range(END - RECENT, END)), [FIRST_FILTER], filter_of(range(SEGMENT, END))),
)
SEALED: Final = as_stored(Segment(0, SEGMENT - 1, Tally(count=Decimal(SEGMENT)), (FIRST_FILTER,)), SEALED_BY, RULE)


def facts(snapshot: Snapshot) -> tuple[object, ...]:
    known = list(snapshot.commands.recent.items()), snapshot.commands.sealed, snapshot.commands.unsealed
    return snapshot.stream, snapshot.version, snapshot.position, snapshot.last_id, snapshot.state, known


@pytest.mark.parametrize(("name", "snapshot"), [("snapshot", SHORT), ("long_snapshot", LONG)])
def test_a_stored_snapshot_is_read_as_before(name: str, snapshot: Snapshot) -> None:
    stored = snapshot_in(recorded(sample(name), snapshot_stream(STREAM)), STREAM, RULE)
    assert facts(stored.restored(RULE, stored.position, snapshot.commands.sealed)) == facts(snapshot)
    assert stored.commands.sealed == len(snapshot.commands.sealed)


def test_a_stored_segment_is_read_as_before() -> None:
    assert segment_in(recorded(sample("segment"), segment_stream(STREAM)), STREAM) == SEALED


def test_a_snapshot_is_written_as_before() -> None:
    assert with_taken_at(snapshot_record(SHORT, RULE), sample("snapshot")) == sample("snapshot")


def test_a_long_snapshot_is_written_as_before() -> None:
    before, now = sample("long_snapshot"), snapshot_record(LONG, RULE)
    text, today = (json.loads(each.data)["commands"]["unsealed"] for each in (before, now))
    assert filters_in(today) == filters_in(text)
    assert with_taken_at(now, before, (today, text)) == before


def test_a_segment_is_written_as_before() -> None:
    before, now = sample("segment"), segment_record(STREAM, SEALED)
    text, today = (json.loads(each.data)["commands"] for each in (before, now))
    assert filters_in(today) == filters_in(text)
    assert with_text(now, (today, text)) == before


@pytest.mark.parametrize("name", ["snapshot", "long_snapshot", "segment"])
def test_the_checksum_is_that_of_before(name: str) -> None:
    before = sample(name)
    assert with_checksum(before.type, json.loads(before.data)) == before


def with_taken_at(now: NewRecord, before: NewRecord, *texts: tuple[str, str]) -> NewRecord:
    """The record of today as if it had been written at the same time."""
    taken_at, taken_at_before = (json.loads(each.data)["taken_at"] for each in (now, before))
    return with_text(now, (taken_at, taken_at_before), *texts)


def with_text(record: NewRecord, *texts: tuple[str, str]) -> NewRecord:
    """The record with each text replaced by the other one, and a checksum that fits."""
    data = record.data.decode()
    for text, other in texts:
        data = data.replace(json.dumps(text), json.dumps(other))
    return record._replace(data=data.encode(), metadata=with_checksum(record.type, json.loads(data)).metadata)
