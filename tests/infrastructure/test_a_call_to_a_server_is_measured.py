"""Each call to the event store or Redis is measured, by whether it was answered; a refusal is an answer."""

from asyncio import CancelledError

import pytest
from redis.exceptions import ConnectionError as RedisAway

from infrastructure.eventstore.errors import StoreUnavailable, WrongExpectedVersion
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.server_calls import ServerCalls


def counted(calls: ServerCalls) -> dict[tuple[str, str, str], float]:
    """How many calls there were, where there was any, by server, call and result."""
    samples = [sample for family in calls.seconds.collect() for sample in family.samples]
    named = {
        (each.labels["server"], each.labels["call"], each.labels["result"]): each.value
        for each in samples
        if each.name.endswith("_count")
    }
    return {name: number for name, number in named.items() if number}


def test_a_call_that_ends_well_was_answered() -> None:
    calls = ServerCalls()
    for _ in range(2):
        with calls.measured("append"):
            pass
    assert counted(calls) == {("eventstore", "append", "answered"): 2}


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (WrongExpectedVersion("order-1", 3), "answered"),
        (StoreUnavailable("node1:2113", "it is gone"), "failed"),
        (TimeoutError(), "failed"),
        (CancelledError(), "failed"),
    ],
)
def test_an_error_tells_whether_it_was_answered(error: BaseException, result: str) -> None:
    calls = ServerCalls()
    with pytest.raises(type(error)), calls.measured("read"):
        raise error
    assert counted(calls) == {("eventstore", "read", result): 1}


def test_a_read_model_is_unavailable_by_what_redis_did() -> None:
    calls = ServerCalls()
    with pytest.raises(ReadModelUnavailable), calls.measured("query"):
        raise ReadModelUnavailable("order_summary", "away") from RedisAway("gone")
    with pytest.raises(ReadModelUnavailable), calls.measured("query"):
        raise ReadModelUnavailable("order_summary", "it is being built")
    assert counted(calls) == {("redis", "query", "failed"): 1, ("redis", "query", "answered"): 1}
