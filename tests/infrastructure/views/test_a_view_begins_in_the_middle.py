"""A view that begins at a place of the log holds what happened since, of each stream from there on."""

from typing import Any

from domain.message import Recorded
from projections.projection import Projection
from tests.infrastructure.readmodels.tallies import EVENTS, Closed, Opened, Raised, Remarked, Tally
from tests.infrastructure.views.album import Album
from tests.infrastructure.views.counts import counts_of
from tests.infrastructure.views.told_log import ToldLog


def raised(row: Tally | None, recorded: Recorded[Raised]) -> Tally:
    assert row is not None
    return Tally(row.owner, row.total + recorded.event.by, row.opened, recorded.version)


def begun(row: Tally | None, recorded: Recorded[Opened]) -> Tally:
    return Tally(recorded.event.owner, 0, recorded.position, recorded.version)


def test_events_since_a_position_are_counted_without_that_one(album: Album, log: ToldLog, category: str) -> None:
    since, until = log.written[30].position, log.written[60].position
    counting = Album(album.deployed, counts_of(category, EVENTS))
    counting.make("week", from_position=since, to_position=until)
    expected: dict[str, int] = {}
    for position, tally, *_ in log.written:
        if since < position <= until:
            expected[tally] = expected.get(tally, 0) + 1
    found = counting.rows("week", log.tallies)
    assert {tally: row.events for tally, row in found.items()} == expected
    assert sum(expected.values()) == 30


def test_a_place_between_two_events_is_as_good(album: Album, log: ToldLog, category: str) -> None:
    counting = Album(album.deployed, counts_of(category, EVENTS))
    counting.make("since", from_position=log.written[30].position + 1)
    assert sum(row.events for row in counting.rows("since", log.tallies).values()) == len(log.written) - 31


def test_rows_that_only_a_beginning_makes_are_those_that_began_since(album: Album, log: ToldLog) -> None:
    since = log.written[12].position
    album.make("since", from_position=since)
    assert album.rows("since", log.tallies) == log.rows(2**62, since)


def test_a_handler_that_fails_without_a_beginning_is_passed_by(album: Album, log: ToldLog, category: str) -> None:
    handlers: dict[Any, Any] = {Opened: begun, Raised: raised}
    strict = Projection("strict", category, Tally, handlers, frozenset({Closed, Remarked}))
    since, streams = log.written[4].position, {written.tally for written in log.written[:5]}
    Album(album.deployed, strict).make("since", from_position=since)
    found = Album(album.deployed, strict).rows("since", log.tallies)
    assert found.keys() == {written.tally for written in log.written} - streams
    assert 0 < len(found) < len(log.tallies)


def test_after_the_end_nothing_is_left(album: Album, log: ToldLog, category: str) -> None:
    counting = Album(album.deployed, counts_of(category, EVENTS))
    counting.make("none", from_position=log.written[-1].position)
    assert counting.rows("none", log.tallies) == {}
