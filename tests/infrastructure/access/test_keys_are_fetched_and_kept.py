"""Keys at an address: fetched in the background, looked for when one is missed, kept for a day when it is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from infrastructure.access.errors import KeysUnavailable, UnknownKey
from infrastructure.access.key_address import KEPT, SOONEST, KeyAddress
from infrastructure.access.verification_keys import ALGORITHMS, LARGEST
from infrastructure.access.verifier import TokenVerifier
from tests.infrastructure.access.issuer import NOW, curve, key_set, rsa
from tests.infrastructure.access.key_server import KeyServer, open_key_server
from tests.support.clock import Clock

NOBODY = "http://127.0.0.1:1/keys"


def verifier_of(url: str, clock: Clock | None = None) -> TokenVerifier:
    return TokenVerifier(KeyAddress(url, frozenset(ALGORITHMS), clock or Clock()), clock=Clock(NOW))


def refresh(verifier: TokenVerifier) -> None:
    asyncio.run(verifier.source.refresh())


@asynccontextmanager
async def following(verifier: TokenVerifier, server: KeyServer) -> AsyncIterator[None]:
    await verifier.source.refresh()
    task = asyncio.create_task(verifier.source.follow())
    try:
        await until_asked(server, 2)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_asked(server: KeyServer, times: int) -> None:
    async with asyncio.timeout(10):
        while server.asked < times:
            await asyncio.to_thread(server.served.wait, 10)
            server.served.clear()


def test_before_they_were_fetched_no_token_can_be_verified() -> None:
    with open_key_server(key_set(rsa())) as server:
        verifier = verifier_of(server.url)
        with pytest.raises(KeysUnavailable, match="have not been fetched yet"):
            verifier.caller_of(rsa().token())
        refresh(verifier)
        assert verifier.caller_of(rsa().token()).subject == "anna"
        assert server.asked == 1


async def missing(verifier: TokenVerifier, server: KeyServer, clock: Clock) -> None:
    async with following(verifier, server):
        server.content = key_set(rsa(), curve())
        for _ in range(100):
            with pytest.raises(UnknownKey):
                verifier.caller_of(curve().token())
        clock.now += SOONEST
        with pytest.raises(UnknownKey):
            verifier.caller_of(curve().token())
        await until_asked(server, 3)
        assert server.asked == 3


def test_a_key_that_is_missed_is_looked_for_but_no_more_than_once_in_ten_seconds() -> None:
    clock = Clock()
    with open_key_server(key_set(rsa())) as server:
        verifier = verifier_of(server.url, clock)
        asyncio.run(missing(verifier, server, clock))
        refresh(verifier)
        assert verifier.caller_of(curve().token()).subject == "anna"


def test_while_the_address_is_away_keys_stay_good_for_a_day_and_the_log_says_so_once() -> None:
    clock = Clock()
    with open_key_server(key_set(rsa())) as server:
        verifier = verifier_of(server.url, clock)
        with capture_logs() as lines:
            refresh(verifier)
            server.status = 503
            clock.now += KEPT
            refresh(verifier)
            refresh(verifier)
            assert verifier.caller_of(rsa().token()).subject == "anna"
            clock.now += 1
            with pytest.raises(KeysUnavailable, match="could not be fetched for a day"):
                verifier.caller_of(rsa().token())
            server.status = 200
            refresh(verifier)
            assert verifier.caller_of(rsa().token()).subject == "anna"
        assert [(line["event"], line.get("reason"), line["source"]) for line in lines] == [
            ("access_keys_read", None, server.url),
            ("access_keys_away", f"the keys in {server.url} can't be used: the answer has status 503", server.url),
            ("access_keys_found", None, server.url),
        ]


@pytest.mark.parametrize("status", [204, 302, 404, 500])
def test_nothing_but_a_whole_answer_is_taken_and_no_redirect_followed(status: int) -> None:
    with open_key_server(key_set(rsa())) as server:
        server.status = status
        verifier = verifier_of(server.url)
        refresh(verifier)
        with pytest.raises(KeysUnavailable):
            verifier.caller_of(rsa().token())
        assert server.asked == 1


def test_an_answer_is_read_up_to_its_bound() -> None:
    with open_key_server(b" " * (100 * LARGEST)) as server, capture_logs() as lines:
        refresh(verifier_of(server.url))
        assert [line["reason"] for line in lines] == [
            f"the keys in {server.url} can't be used: there are more than {LARGEST} bytes"
        ]


def test_where_nobody_listens_the_log_says_so() -> None:
    with capture_logs() as lines:
        refresh(verifier_of(NOBODY))
    assert [(line["event"], line["reason"]) for line in lines] == [
        ("access_keys_away", "All connection attempts failed")
    ]


def test_keys_that_are_taken_away_count_no_more() -> None:
    with open_key_server(key_set(rsa(), curve())) as server:
        verifier = verifier_of(server.url)
        refresh(verifier)
        server.content = key_set(curve())
        refresh(verifier)
        with pytest.raises(UnknownKey):
            verifier.caller_of(rsa().token())
        assert verifier.caller_of(curve().token()).subject == "anna"
