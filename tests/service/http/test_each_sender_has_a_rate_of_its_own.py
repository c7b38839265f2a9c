"""A sender that asks more often than it may is sent away for a moment, and nobody else is."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import httpx
import pytest

from service.http.middleware.rate_limits import RateLimits, Sender
from service.http.problems import Problem
from service.watch_paths import WATCH_PATHS
from tests.service.http.api_server import away, serving
from tests.service.http.description import Description
from tests.service.http.shop import assert_malformed, assert_refused
from tests.support.callers import header_of
from tests.support.clock import Clock
from tests.support.polling import poll_until

ADA: Sender = ("default", "ada")
BEN: Sender = ("default", "ben")
BURST = 3
REFUSED = "One sender may send 1 requests a second; come back later."


def taken(limits: RateLimits, sender: Sender, times: int) -> int:
    """How many of so many requests are let in."""
    let_in = 0
    for _ in range(times):
        with suppress(Problem):
            limits.take(sender)
            let_in += 1
    return let_in


def test_a_burst_is_let_in_and_then_as_many_as_come_each_second() -> None:
    clock = Clock(100.0)
    limits = RateLimits(per_second=4, burst=10, clock=clock)
    assert taken(limits, ADA, 20) == 10
    clock.now += 0.25
    assert taken(limits, ADA, 20) == 1
    clock.now += 1.0
    assert taken(limits, ADA, 20) == 4
    clock.now += 0.125
    assert taken(limits, ADA, 20) == 0
    clock.now += 3_600
    assert taken(limits, ADA, 20) == 10


def test_each_sender_has_a_bucket_of_its_own_and_what_is_refused_takes_nothing() -> None:
    clock = Clock()
    limits = RateLimits(per_second=1, burst=2, clock=clock)
    assert [taken(limits, ADA, 100), taken(limits, BEN, 1), taken(limits, ("acme", "ada"), 3)] == [2, 1, 2]
    clock.now += 1.0
    assert [taken(limits, ADA, 3), taken(limits, BEN, 3)] == [1, 2]


def test_the_refusal_says_how_many_there_may_be() -> None:
    limits = RateLimits(per_second=7, burst=1, clock=Clock())
    limits.take(ADA)
    with pytest.raises(Problem, match="One sender may send 7 requests a second; come back later") as refusal:
        limits.take(ADA)
    assert (refusal.value.rule, refusal.value.status_code) == ("rate-limited", 429)


def test_without_a_rate_nobody_is_limited_or_kept() -> None:
    limits = RateLimits(per_second=0, burst=1, clock=Clock())
    assert (taken(limits, ADA, 50), len(limits)) == (50, 0)


def test_a_bounded_number_of_senders_is_kept_those_that_were_there_last() -> None:
    limits = RateLimits(per_second=1, burst=2, clock=Clock(), most=3)
    for name in "abcab":
        limits.take((name,))
    limits.take(("d",))
    assert len(limits) == 3
    assert [taken(limits, (name,), 5) for name in "abd"] == [0, 0, 1]
    assert taken(limits, ("c",), 5) == 2


@pytest.fixture(scope="module")
def limited() -> Iterator[httpx.Client]:
    """A connection without a token to an API that takes three requests at once, and then one a second."""
    with serving(away(requests_per_second=1, requests_burst=BURST)) as http:
        description = Description(http.get("/openapi.json").json())
        del http.headers["Authorization"]
        http.event_hooks = {"response": [description.demand]}
        yield http


def asked_until_refused(ask: Callable[[], httpx.Response]) -> tuple[list[int], httpx.Response]:
    """The statuses of what was let in, and the refusal. Where the machine is slow, tokens come meanwhile."""
    let_in: list[int] = []
    while (answer := ask()).status_code != 429:
        let_in.append(answer.status_code)
        assert len(let_in) < 100, "nobody is refused"
    return let_in, answer


def receive(http: httpx.Client, headers: dict[str, str] | None = None) -> httpx.Response:
    """A command whose form is wrong, which is found out after all else."""
    return http.post("/stock/lamp/receipts", json={}, headers=headers)


def test_one_that_asks_too_often_comes_back_after_a_second_and_another_is_not_held_up(limited: httpx.Client) -> None:
    ada, ben = header_of("ada", "administrator"), header_of("ben", "administrator")
    let_in, refused = asked_until_refused(lambda: receive(limited, ada))
    assert (set(let_in), len(let_in) >= BURST) == ({422}, True)
    assert_refused(refused, 429, "rate-limited", REFUSED)
    assert refused.headers["Retry-After"] == "1"
    assert_malformed(receive(limited, ben), ("/quantity", "is missing"))
    patience = 10 * int(refused.headers["Retry-After"])
    poll_until(lambda: receive(limited, ada).status_code == 422, seconds=patience, what="its turn")


def test_the_rate_is_looked_at_before_the_form_is_read(limited: httpx.Client) -> None:
    cleo = header_of("cleo", "administrator")
    let_in, _ = asked_until_refused(lambda: limited.post("/orders", content=b"no form at all", headers=cleo))
    assert set(let_in) == {422}


def test_what_is_refused_for_its_rate_is_not_put_on_record(limited: httpx.Client) -> None:
    """The store is away: what should be on record is answered with 503."""
    auditor = header_of("dan", "auditor")
    let_in, refused = asked_until_refused(lambda: limited.get("/history/stock:lamp", headers=auditor))
    assert (set(let_in), refused.json()["rule"]) == ({503}, "rate-limited")


def test_those_without_a_token_share_the_rate_of_their_address(limited: httpx.Client) -> None:
    forged = {"Authorization": "Bearer forged"}
    let_in, _ = asked_until_refused(lambda: receive(limited, forged))
    assert set(let_in) <= {401}
    few = [len(asked_until_refused(partial(limited.get, path))[0]) for path in ("/", "/docs", "/openapi.json")]
    assert sum(few) < 3 * BURST
    assert receive(limited, header_of("eve", "administrator")).status_code == 422


@pytest.mark.parametrize("path", sorted(WATCH_PATHS))
def test_what_watches_the_service_is_never_limited(limited: httpx.Client, path: str) -> None:
    monitor = header_of("prometheus", "monitor")
    answered = {limited.get(path, headers=monitor).status_code for _ in range(4 * BURST)}
    assert answered == ({503} if path == "/health/ready" else {200})
