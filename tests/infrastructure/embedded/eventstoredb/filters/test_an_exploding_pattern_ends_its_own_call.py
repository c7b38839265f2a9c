"""Filters' patterns: as regular expressions are, within bounds that only hostile ones reach."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException, GrpcError

from infrastructure.embedded.eventstoredb.errors import InvalidPattern, PatternTooSlow
from infrastructure.embedded.eventstoredb.filters.pattern import Pattern
from tests.infrastructure.embedded.eventstoredb.fuzz.canary import Canary
from tests.infrastructure.embedded.eventstoredb.groups.listener import Listener
from tests.support.eventstore import EventStoreProcess

EXPLODING = {
    r"^(a+)+$": "a" * 60 + "!",
    r"(a|aa)+$": "a" * 60 + "!",
    "^" + "a?" * 30 + "a" * 30 + "$": "a" * 31 + "!",
    r"(?x) ( a+ ) + $": "a" * 60 + "!",
    r".*.*.*.*=x": "a" * 1500,
    r"(?=(a+)+b)": "a" * 60,
    "^" + "(?:" * 40 + "a" + "){1,2}" * 40 + "$": "a" * 60 + "!",
}


@pytest.mark.parametrize(
    ("pattern", "fitting", "unfitting"),
    [
        ("^order-.*[0-3]$", "order-a3", "order-a4"),
        (r"^(?!(\$.+$|PersistentConfig\d+$))", "OrderCreated", "PersistentConfig1"),
        ("^OrderCreated|OrderShipped|Paid$", "x OrderShipped y", "Paid!"),
        ("(a+)+$", "aaa", "b"),
        (r"(\w)\1", "hello", "world"),
        ("(?i)straße", "STRAßE", "strasse"),
        ("^a{e}$", "a{e}", "a"),
        ("", "anything", None),
    ],
)
def test_it_finds_what_a_regular_expression_finds(pattern: str, fitting: str, unfitting: str | None) -> None:
    assert Pattern(pattern).fits(fitting)
    assert unfitting is None or not Pattern(pattern).fits(unfitting)


@pytest.mark.parametrize(("pattern", "text"), EXPLODING.items(), ids=EXPLODING.keys())
def test_a_pattern_that_explodes_is_given_up(pattern: str, text: str) -> None:
    began = time.thread_time()
    with pytest.raises(PatternTooSlow):
        Pattern(pattern).fits(text)
    assert time.thread_time() - began < 0.5


def test_many_searches_that_each_take_long_are_given_up_together() -> None:
    pattern = Pattern("a*a*a*b")
    began = time.thread_time()
    with pytest.raises(PatternTooSlow):
        any(pattern.fits("a" * 80 + str(number)) for number in range(10_000))
    assert time.thread_time() - began < 1


def test_an_honest_pattern_of_many_repeats_lasts() -> None:
    pattern = Pattern("^(order|stock|account)-[0-9a-f]+-([a-z]+-)*[0-9]+$")
    assert all(pattern.fits(f"order-{number:x}-eu-west-{number}") for number in range(20_000))


@pytest.mark.parametrize(
    "pattern",
    ["(", "(" * 3000 + ")" * 3000, "a{99999999999999}", "a" * 20_000, "a(?i)b", "(?<=a+)b", r"\p{L}", "(?R)"],
    ids=["open", "deep", "huge", "long", "late flag", "lookbehind", "category", "recursion"],
)
def test_an_invalid_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        Pattern(pattern)


def test_a_pattern_that_takes_long_to_compile_is_given_up() -> None:
    with pytest.raises(PatternTooSlow):
        Pattern("(?i)" + "[a-\U0010ffff]" * 1000)


def test_no_search_is_interrupted_after_a_refusal() -> None:
    for _ in range(3):
        with pytest.raises(InvalidPattern):
            Pattern("(?i)[a-\U0000ffff](")
    until = time.thread_time() + 0.3
    while time.thread_time() < until:
        assert Pattern("(a+)+").fits("a")


@pytest.fixture(scope="module")
def server() -> Iterator[EventStoreProcess]:
    """One whose log has names at which patterns explode."""
    with EventStoreProcess(None) as process:
        with EventStoreDBClient(process.uri) as client:
            for number in range(20):
                write(client, "a" * 60 + f"!{number}")
        yield process


def test_readers_with_exploding_patterns_are_refused_and_others_notice_nothing(server: EventStoreProcess) -> None:
    with Canary(server.uri) as canary, EventStoreDBClient(server.uri) as client:
        heard = canary.singing
        for _ in range(5):
            with pytest.raises(GrpcError, match="the filter's pattern takes too long"):
                list(client.read_all(filter_include=["(a+)+"], filter_by_stream_name=True))
            subscription = client.subscribe_to_all(filter_include=["(a+)+"], filter_by_stream_name=True)
            with pytest.raises(GrpcError, match="the filter's pattern takes too long"):
                list(subscription)
    assert canary.singing > heard
    assert canary.longest < 2


def test_a_group_with_an_exploding_pattern_ends_alone_also_after_a_restart(folder: Path) -> None:
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            client.create_subscription_to_all("hostile", filter_include=["(a+)+"], filter_by_stream_name=True)
            client.create_subscription_to_all("honest", filter_include=["a+"], filter_by_stream_name=True)
            hostile = Listener(client, "hostile")
            write(client, "a" * 60 + "!")
            assert isinstance(hostile.ending(), EventStoreDBClientException)
        process.kill()
        process.start()
        with EventStoreDBClient(process.uri) as client:
            write(client, "aaa")
            assert [event.stream_name for event in Listener(client, "honest").take(1)] == ["aaa"]
            assert {info.group_name for info in client.list_subscriptions()} == {"hostile", "honest"}


def write(client: EventStoreDBClient, stream: str) -> None:
    client.append_to_stream(stream, current_version=StreamState.ANY, events=NewEvent("T", b"{}"))
