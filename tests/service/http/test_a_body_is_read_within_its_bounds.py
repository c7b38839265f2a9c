"""Bodies as they are read, chunk by chunk."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.http.middleware.strict_json import LARGEST_BODY, parse, read
from service.http.problems import Problem


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _never() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.Event().wait()


def test_a_body_is_put_together() -> None:
    assert asyncio.run(read(_chunks(b"{", b"", b"}"), None, seconds=9)) == b"{}"


def test_a_body_that_does_not_come_to_an_end_is_given_up() -> None:
    with pytest.raises(Problem) as refusal:
        asyncio.run(read(_never(), None, seconds=0.05))
    assert (refusal.value.rule, refusal.value.detail) == (
        "request-timeout",
        "The body of a request has to come within 0.05 s.",
    )


@pytest.mark.parametrize("announced", ["1048577", "9" * 400])
def test_an_announced_length_that_is_too_large_is_refused_unread(announced: str) -> None:
    with pytest.raises(Problem) as refusal:
        asyncio.run(read(_never(), announced, seconds=9))
    assert refusal.value.rule == "too-large"


@pytest.mark.parametrize("announced", [None, "", "x", "-1", "\u00b2", "10"])
def test_what_is_announced_is_not_believed(announced: str | None) -> None:
    with pytest.raises(Problem) as refusal:
        asyncio.run(read(_chunks(b" " * LARGEST_BODY, b" "), announced, seconds=9))
    assert refusal.value.rule == "too-large"


def test_whole_surrogate_pairs_are_text() -> None:
    assert parse(b'{"reason": "\\ud83d\\udeb2 \\u00e4"}') == {"reason": "\U0001f6b2 ä"}
