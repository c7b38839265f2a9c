"""Pure: of a batch that can't be folded whole, all is folded but the streams that hold what can't be."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from domain.value import changed
from infrastructure.eventstore.errors import UnreadableEvent
from infrastructure.readmodels import blocked_streams
from infrastructure.readmodels.blocks import MOST_STREAMS, MOST_WAITING, Block
from infrastructure.readmodels.fold import Folded, fold
from infrastructure.subscriptions.frames import Frame, Happened, Unreadable
from projections.projection import Add, Entry, IndexChange, RowEntries
from tests.infrastructure.readmodels.tallies import (
    Closed,
    Opened,
    Raised,
    Tally,
    Unheard,
    happened,
    history,
    tallies,
)

TALLIES = tallies("tally")
LOWERED = "a tally is never lowered"


def block_of(folded: Folded[Any], aggregate_id: str) -> Block:
    block = folded.blocks[aggregate_id]
    assert block is not None
    return block


def unreadable(tally: str, *, version: int, position: int) -> Unreadable:
    like = happened(Closed(), tally, version=version, position=position)
    fault = UnreadableEvent(like.stream, version, position, "no number")
    return Unreadable(like.stream, version, position, like.event_id, "TallyRaised", fault)


def standing(number: int, waiting: int = 0) -> dict[str, Block]:
    """Blocks of so many streams, each with as many records behind it."""
    like = blocked_streams.block_of(happened(Closed(), "x", version=1, position=5), ValueError("so"))
    return {f"{each:08x}": changed(like, waiting=waiting) for each in range(number)}


def test_what_comes_after_it_in_its_stream_waits_and_other_streams_go_on() -> None:
    frames = history(
        ("a", Opened(owner="ann")),
        ("b", Opened(owner="bob")),
        ("a", Raised(by=3)),
        ("a", Raised(by=-1)),
        ("b", Raised(by=5)),
        ("a", Raised(by=9)),
        ("a", Closed()),
    )
    folded = fold(TALLIES, {}, frames, None)
    assert folded.rows == {
        "a": Tally(owner="ann", total=3, opened=10, version=1),
        "b": Tally(owner="bob", total=5, opened=20, version=1),
    }
    assert (folded.position, folded.newest, folded.failure) == (70, frames[-1], None)
    block = block_of(folded, "a")
    assert block == Block(2, 40, frames[3].event_id, "TallyRaised", "ValueError", LOWERED, block.since, 1, 2)


def test_what_cannot_be_read_blocks_as_what_cannot_be_folded_does() -> None:
    [opened] = history(("a", Opened(owner="ann")))
    poison = unreadable("a", version=1, position=20)
    later = unreadable("a", version=2, position=30)
    folded = fold(TALLIES, {}, [opened, poison, later, poison], None)
    block = block_of(folded, "a")
    assert block == Block(1, 20, poison.event_id, "TallyRaised", "UnreadableEvent", block.reason, block.since, 1, 1)
    assert block.reason == "tally-a can't be read at version 1 (position 20): no number"
    assert (folded.position, folded.newest) == (30, later)


def test_what_is_neither_handled_nor_ignored_blocks() -> None:
    block = block_of(fold(TALLIES, {}, history(("a", Unheard())), None), "a")
    assert (block.version, block.error, block.reason) == (0, "LookupError", "Unheard is neither handled nor ignored")


def test_behind_a_block_from_before_all_waits() -> None:
    before = standing(1)
    [tally] = before
    batch: list[Frame] = [
        happened(Raised(by=1), tally, version=7, position=30),
        unreadable(tally, version=8, position=40),
    ]
    folded = fold(TALLIES, {}, batch, 20, before)
    assert folded.rows == {}
    assert folded.blocks == {tally: changed(before[tally], waiting=2)}
    assert fold(TALLIES, {}, batch, 40, before).blocks == {}


def each_total(before: Tally | None, after: Tally | None) -> Iterable[IndexChange]:
    return [Add(Entry("totals", str(after.total), after.total))] if after is not None else []


def test_of_a_record_of_several_events_none_is_folded() -> None:
    opened, raised = history(("a", Opened(owner="ann")), ("a", Raised(by=3)))
    lowered = happened(Raised(by=-1), "a", version=1, position=20)
    for projection in (TALLIES, replace(TALLIES, index=each_total)):
        before = fold(projection, {}, [opened], None)
        folded = fold(projection, {}, [opened, Happened([*raised.events, *lowered.events])], None)
        assert (folded.rows, folded.changes) == (before.rows, before.changes)
        assert block_of(folded, "a").version == 1


def test_an_index_that_fails_on_a_row_blocks_the_stream_before_that_row() -> None:
    def entries(row: Tally) -> Iterable[Entry]:
        if row.total == 5:
            raise ArithmeticError("no five")
        return [Entry(f"owner:{row.owner}", str(row.opened), row.opened)]

    projection = replace(TALLIES, index=RowEntries[Tally](entries))
    frames = history(("a", Opened(owner="ann")), ("b", Opened(owner="bob")), ("a", Raised(by=3)), ("a", Raised(by=2)))
    folded = fold(projection, {}, frames, None)
    block = block_of(folded, "a")
    assert (block.version, block.error, block.reason) == (2, "ArithmeticError", "no five")
    assert folded.rows["a"] == Tally(owner="ann", total=3, opened=10, version=1)
    assert list(folded.changes.values()) == [Add(Entry("owner:ann", "10", 10)), Add(Entry("owner:bob", "20", 20))]


def test_one_stream_too_many_stops_the_partition_before_its_event() -> None:
    good, poison, later = (
        happened(Opened(owner="ann"), "fe", version=0, position=30),
        happened(Unheard(), "ff", version=3, position=40),
        happened(Opened(owner="ann"), "fd", version=0, position=50),
    )
    folded = fold(TALLIES, {}, [good, poison, later], 20, standing(MOST_STREAMS))
    assert list(folded.rows) == ["fe"]
    assert (folded.position, folded.blocks) == (30, {})
    assert folded.failure is not None
    assert (folded.failure.stream, folded.failure.version, folded.failure.position) == ("tally-ff", 3, 40)
    assert folded.failure.reason.startswith("1000 streams are blocked already, and LookupError: Unheard")
    assert fold(TALLIES, {}, [poison], 20, standing(MOST_STREAMS - 1)).failure is None


@pytest.mark.parametrize("kind", ["unreadable", "readable"])
def test_one_record_too_many_that_waits_stops_the_partition_before_it(kind: str) -> None:
    blocks = standing(10, MOST_WAITING // 10)
    tally = list(blocks)[4]
    made: dict[str, Frame] = {
        "readable": happened(Raised(by=1), tally, version=9, position=40),
        "unreadable": unreadable(tally, version=9, position=40),
    }
    waits = made[kind]
    folded = fold(TALLIES, {}, [waits], 20, blocks)
    assert (folded.position, folded.blocks) == (20, {})
    assert folded.failure is not None
    assert folded.failure.reason == "100000 records wait behind blocked streams"
    blocks[tally] = changed(blocks[tally], waiting=0)
    assert block_of(fold(TALLIES, {}, [waits], 20, blocks), tally).waiting == 1
