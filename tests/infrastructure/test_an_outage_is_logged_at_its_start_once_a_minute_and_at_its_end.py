"""However many miss a server, and however often: one line at the start, one a minute, one at the end."""

from collections.abc import Iterator, MutableMapping
from typing import Any, Final, TypeAlias

import pytest
import redis
import structlog

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.outages import CALM, MINUTE, Outages
from infrastructure.readmodels.errors import EventNotFolded, ReadModelUnavailable
from tests.support.clock import Clock

AWAY: Final = StoreUnavailable("127.0.0.1:1", "nobody answers")
REASON: Final = "The event store at 127.0.0.1:1 can't be used: nobody answers"
STORE: Final = {"server": "eventstore"}
BEGAN: Final = {"event": "outage_began", "log_level": "warning", **STORE, "reason": REASON}
Lines: TypeAlias = list[MutableMapping[str, Any]]


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def outages(clock: Clock) -> Outages:
    return Outages(clock)


@pytest.fixture
def lines() -> Iterator[Lines]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def pass_time(outages: Outages, clock: Clock, seconds: int) -> None:
    for _ in range(seconds):
        clock.now += 1
        outages.tick()


def test_many_failures_of_many_are_one_outage(outages: Outages, clock: Clock, lines: Lines) -> None:
    for _ in range(100):
        for party in ("a", "b"):
            assert outages.failed(party, AWAY)
        pass_time(outages, clock, 1)
    goes_on = {**BEGAN, "event": "outage_goes_on", "seconds": 60.0, "failures": 120}
    assert lines == [BEGAN, goes_on]
    outages.succeeded("a")
    pass_time(outages, clock, 10)
    assert len(lines) == 2
    outages.succeeded("b")
    pass_time(outages, clock, 10)
    assert lines[2:] == [{"event": "outage_ended", "log_level": "info", **STORE, "seconds": 110.0, "failures": 200}]


def test_it_is_told_of_each_minute_also_where_nobody_tries(outages: Outages, clock: Clock, lines: Lines) -> None:
    outages.failed("a", AWAY)
    pass_time(outages, clock, int(3 * MINUTE))
    assert [(line["event"], line.get("seconds")) for line in lines[1:]] == [
        ("outage_goes_on", 60.0),
        ("outage_goes_on", 120.0),
        ("outage_goes_on", 180.0),
    ]


def test_a_server_that_stumbles_when_it_comes_back_has_one_outage(outages: Outages, clock: Clock, lines: Lines) -> None:
    for _ in range(5):
        outages.failed("a", AWAY)
        outages.succeeded("a")
        pass_time(outages, clock, int(CALM) - 1)
    pass_time(outages, clock, 1)
    assert lines == [BEGAN, {"event": "outage_ended", "log_level": "info", **STORE, "seconds": 8.0, "failures": 5}]


def test_who_does_not_try_again_soon_keeps_no_outage_open(outages: Outages, clock: Clock, lines: Lines) -> None:
    assert outages.met("a", AWAY)
    assert not outages.met("a", ValueError("of something else"))
    pass_time(outages, clock, int(CALM))
    assert [line["event"] for line in lines] == ["outage_began", "outage_ended"]


def test_each_read_model_has_its_own(outages: Outages, clock: Clock, lines: Lines) -> None:
    for _ in range(5):
        for name in ("read model a", "read model b"):
            outages.met_elsewhere(name, "requests", "nothing is built yet")
        pass_time(outages, clock, 1)
    pass_time(outages, clock, int(CALM))
    told = [(line["event"], line["server"]) for line in lines]
    names = ("read model a", "read model b")
    assert told == [(event, name) for event in ("outage_began", "outage_ended") for name in names]


def test_the_next_outage_is_another(outages: Outages, clock: Clock, lines: Lines) -> None:
    for _ in range(2):
        outages.failed("a", AWAY)
        outages.succeeded("a")
        pass_time(outages, clock, int(CALM))
    ended = {"event": "outage_ended", "log_level": "info", **STORE, "seconds": 0.0, "failures": 1}
    assert lines == [BEGAN, ended, BEGAN, ended]


def test_each_server_has_its_own(outages: Outages, lines: Lines) -> None:
    query = ReadModelUnavailable("stock_levels", "Redis: refused")
    query.__cause__ = redis.ConnectionError("refused")
    assert outages.failed("a", AWAY)
    assert outages.failed("a", query)
    assert [(line["event"], line["server"]) for line in lines] == [
        ("outage_began", "eventstore"),
        ("outage_began", "redis"),
    ]


@pytest.mark.parametrize(
    "error",
    [
        EventNotFolded("stock_levels", "stock-1", 0, 7, "a bug"),
        ReadModelUnavailable("stock_levels", "no generation is complete"),
        StoreUnavailable("127.0.0.1:1", "looking back took longer than it may", is_away=False),
        LookupError("a bug"),
    ],
)
def test_any_other_failure_is_left_to_the_caller(outages: Outages, error: Exception, lines: Lines) -> None:
    assert not outages.failed("a", error)
    assert lines == []
