"""What is decided about an append, for every expected version and every kind of repeat."""

from uuid import UUID, uuid5

import pytest

from infrastructure.embedded.eventstoredb.storage.metadata import MAX
from infrastructure.embedded.eventstoredb.streams.decision import (
    ANY,
    EXISTS,
    NO_STREAM,
    AlreadyWritten,
    Decision,
    Deleted,
    History,
    StreamState,
    Write,
    WrongVersion,
    decide,
)


def ids(letters: str) -> list[UUID]:
    return [uuid5(UUID(int=1), letter) for letter in letters]


def asked(expected: int, new: str, *, stream: str = "abc", soft_deleted: bool = False) -> Decision:
    """The decision about the events `new` on a stream that has the events `stream`."""
    there = ids(stream)
    history = History(
        number_of=lambda event: there.index(event) if event in there else None,
        id_at=lambda number: there[number] if number < len(there) else None,
    )
    return decide(expected, ids(new), StreamState(len(there) - 1, soft_deleted, False), history)


@pytest.mark.parametrize("expected", [ANY, EXISTS, 2])
def test_a_new_event_is_written_where_the_version_is_right(expected: int) -> None:
    assert asked(expected, "x") == Write(recreates=False)


@pytest.mark.parametrize("expected", [NO_STREAM, 0, 1, 3, 7])
def test_a_new_event_is_refused_where_the_version_is_wrong(expected: int) -> None:
    assert asked(expected, "x") == WrongVersion(2)


@pytest.mark.parametrize("expected", [ANY, NO_STREAM])
def test_a_stream_that_is_not_there_begins_with_its_first_event(expected: int) -> None:
    assert asked(expected, "x", stream="") == Write(recreates=False)


@pytest.mark.parametrize("expected", [EXISTS, 0, 2])
def test_a_stream_that_is_not_there_has_no_version(expected: int) -> None:
    assert asked(expected, "x", stream="") == WrongVersion(-1)


def test_a_stream_with_nothing_but_metadata_exists() -> None:
    state = StreamState(-1, soft_deleted=False, has_metadata=True)
    assert decide(EXISTS, ids("x"), state, History(lambda _: None, lambda _: None)) == Write(recreates=False)


@pytest.mark.parametrize(
    ("expected", "new", "last"),
    [(NO_STREAM, "a", 0), (0, "b", 1), (1, "c", 2), (NO_STREAM, "ab", 1), (0, "bc", 2)],
)
def test_a_repeat_at_the_version_it_was_first_written_at_is_answered_again(expected: int, new: str, last: int) -> None:
    assert asked(expected, new) == AlreadyWritten(last)


@pytest.mark.parametrize(("expected", "new", "last"), [(ANY, "b", 1), (EXISTS, "ac", 2), (ANY, "ba", 0)])
def test_a_repeat_at_any_version_is_known_by_its_ids(expected: int, new: str, last: int) -> None:
    assert asked(expected, new) == AlreadyWritten(last)


@pytest.mark.parametrize(("expected", "new"), [(0, "bx"), (0, "bcx"), (NO_STREAM, "ac"), (ANY, "bx"), (EXISTS, "axb")])
def test_a_repeat_with_something_new_in_it_is_refused(expected: int, new: str) -> None:
    assert asked(expected, new) == WrongVersion(2)


def test_at_any_version_only_a_known_first_event_makes_a_repeat() -> None:
    assert asked(ANY, "xb") == Write(recreates=False)


def test_at_the_right_version_nobody_looks_at_ids() -> None:
    assert asked(2, "c") == Write(recreates=False)


def test_no_events_are_always_right_at_the_right_version_and_wrong_at_an_older_one() -> None:
    assert (asked(2, ""), asked(ANY, ""), asked(1, "")) == (Write(False), Write(False), WrongVersion(2))


@pytest.mark.parametrize("expected", [ANY, NO_STREAM, 2])
def test_a_deleted_stream_comes_back_with_a_new_event(expected: int) -> None:
    assert asked(expected, "x", soft_deleted=True) == Write(recreates=True)


def test_a_deleted_stream_does_not_exist() -> None:
    assert asked(EXISTS, "x", soft_deleted=True) == Deleted()


def test_a_repeat_does_not_bring_a_deleted_stream_back() -> None:
    assert asked(NO_STREAM, "a", soft_deleted=True) == AlreadyWritten(0)


@pytest.mark.parametrize("expected", [ANY, NO_STREAM, EXISTS, 2])
def test_nothing_is_written_after_a_tombstone(expected: int) -> None:
    state = StreamState(MAX, soft_deleted=False, has_metadata=True)
    assert decide(expected, ids("x"), state, History(lambda _: None, lambda _: None)) == Deleted()
