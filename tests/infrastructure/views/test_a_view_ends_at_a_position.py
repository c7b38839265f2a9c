"""A view up to a position holds what happened up to there, and nothing that came later or comes."""

from collections import Counter

import pytest

from infrastructure.readmodels.errors import ForeignPosition
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.views.errors import OutOfLog, ViewIsPast
from tests.infrastructure.readmodels.tallies import raises
from tests.infrastructure.views.album import Album
from tests.infrastructure.views.told_log import ToldLog


@pytest.mark.parametrize("album", [1, 4], indirect=True)
def test_rows_and_entries_are_those_of_that_position(album: Album, log: ToldLog) -> None:
    for number, written in enumerate(log.written[3::11]):
        view = album.make(f"p{number}", to_position=written.position)
        assert (view.state, view.position) == ("ready", written.position)
        assert album.rows(view.name, log.tallies) == log.rows(written.position)
        for owner in ("ann", "bob"):
            page = album.page(view.name, f"owner:{owner}")
            assert [(each.member, each.score) for each in page.entries] == log.entries(owner, written.position)
            assert page.position == written.position


@pytest.mark.parametrize("album", [1, 4], indirect=True)
def test_sums_are_those_of_its_rows(album: Album, log: ToldLog) -> None:
    position = log.written[50].position
    album.make("sums", to_position=position)
    rows = log.rows(position).values()
    sums = album.ask("sums", lambda models: models.sums(album.projection, ["open", "totals"])).groups
    assert sums["open"] == Counter(row.owner for row in rows)
    assert sums["totals"] == +Counter(
        {owner: sum(row.total for row in rows if row.owner == owner) for owner in ("ann", "bob")}
    )
    ranked = album.ask("sums", lambda models: models.ranked(album.projection, "totals", limit=99)).members
    expected = Counter(str(row.total) for row in rows)
    assert list(ranked) == sorted(expected.items(), key=lambda each: (-each[1], each[0]))
    assert len(ranked) > 2


def test_between_two_events_it_ends_with_the_earlier(album: Album, log: ToldLog) -> None:
    before, after = log.written[40:42]
    assert after.position - before.position > 1
    album.make("between", to_position=after.position - 1)
    assert album.rows("between", log.tallies) == log.rows(before.position)


def test_without_an_end_it_ends_where_the_log_does(album: Album, log: ToldLog) -> None:
    end = log.written[-1].position
    album.make("now")
    later = log.write(30)
    assert album.rows("now", log.tallies) == log.rows(end)
    assert album.rows(album.make("later").name, log.tallies) == log.rows(later)


@pytest.mark.parametrize("album", [1, 4], indirect=True)
def test_before_the_first_event_it_is_empty(album: Album, log: ToldLog) -> None:
    album.make("empty", to_position=log.written[0].position - 1)
    assert album.rows("empty", log.tallies) == {}
    assert album.page("empty", "owner:ann").entries == ()


@pytest.mark.parametrize("album", [1, 4], indirect=True)
def test_entries_of_every_change_are_in_it(album: Album, log: ToldLog, category: str) -> None:
    history = Album(album.deployed, raises(category))
    position = log.written[50].position
    history.make("history", to_position=position)
    found = history.page("history", "history:ann").entries + history.page("history", "history:bob").entries
    whole = history.make("whole")
    known = history.page(whole.name, "history:ann").entries + history.page(whole.name, "history:bob").entries
    assert {each for each in known if each.score <= position} == set(found)
    assert 0 < len(found) < len(known)


def test_a_query_is_answered_up_to_its_position_and_never_beyond(album: Album, log: ToldLog) -> None:
    position, later = log.written[20].position, log.written[21].position
    album.make("past", to_position=position)
    assert album.page("past", "owner:ann", at_least=position).position == position
    with pytest.raises(ViewIsPast, match=f"the view past ends at {position}, before {later}$"):
        album.page("past", "owner:ann", at_least=later)
    with pytest.raises(ViewIsPast):
        album.page("past", "owner:ann", at_least=2**62)


def test_a_token_of_another_store_is_foreign(album: Album, log: ToldLog) -> None:
    album.make("past", to_position=log.written[20].position)
    token = PositionToken(log.written[3].position, None, "00000000")
    with pytest.raises(ForeignPosition):
        album.ask("past", lambda models: models.get(album.projection, log.tallies[0], at_least=token))


def test_beyond_the_end_of_the_log_there_is_nothing_to_see(album: Album, log: ToldLog) -> None:
    with pytest.raises(OutOfLog, match=r"tallies: position 4611686018427387904 is beyond the end of the log, \d+"):
        album.make("future", to_position=2**62)
    assert album.known() == []
