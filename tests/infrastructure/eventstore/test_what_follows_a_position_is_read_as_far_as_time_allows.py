"""The records after a position: all, at most so many, or those that came before the time was over."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import uuid4

import pytest

from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.stream_patterns import category_pattern
from tests.infrastructure.eventstore.operator import operating

T = TypeVar("T")
MANY: Final = 3_000


@pytest.fixture(scope="module")
def written(eventstore_uri: str) -> tuple[str, str]:
    """The URI of a store, and the pattern of a category with many records."""
    category = f"follow{uuid4().hex[:12]}"
    with operating(eventstore_uri) as operator:
        operator.append(f"{category}-0", *[NewRecord("Noted", b"{}")] * MANY)
    return eventstore_uri, category_pattern([category])


def ask(uri: str, question: Callable[[Log], Awaitable[T]]) -> T:
    async def asked() -> T:
        client = await command_client(uri)
        try:
            return await question(Log(client))
        finally:
            await client.close()

    return asyncio.run(asked())


def test_all_are_told_as_all_and_the_one_at_the_position_is_none_of_them(written: tuple[str, str]) -> None:
    uri, pattern = written

    async def question(log: Log) -> list[tuple[list[int], bool]]:
        parts = []
        position: int | None = None
        for limit in (1_000, 1_999, 1, 1):
            records, is_all = await log.following(pattern, position, limit, 30.0)
            parts.append(([record.version for record in records], is_all))
            position = records[-1].position if records else position
        return parts

    first, second, third, none = ask(uri, question)
    assert first == (list(range(1_000)), False)
    assert second == (list(range(1_000, 2_999)), False)
    assert (third, none) == (([2_999], False), ([], True))


def test_what_came_in_time_is_the_beginning_of_what_there_is(written: tuple[str, str]) -> None:
    uri, pattern = written

    async def question(log: Log) -> list[tuple[list[int], bool]]:
        """What comes in a time that is doubled until all came."""
        found: list[tuple[list[int], bool]] = []
        seconds = 0.01
        while not found or not found[-1][1]:
            try:
                records, is_all = await log.following(pattern, None, MANY, seconds)
            except StoreUnavailable:
                records, is_all = [], False
            found.append(([record.version for record in records], is_all))
            seconds *= 2
        return found

    found = ask(uri, question)
    assert [versions for versions, _ in found] == [list(range(len(versions))) for versions, _ in found]
    assert [is_all for _, is_all in found] == [False] * (len(found) - 1) + [True]
    assert any(0 < len(versions) < MANY for versions, _ in found)
    assert len(found[-1][0]) == MANY


def test_where_nothing_came_the_store_could_not_be_asked() -> None:
    with pytest.raises(StoreUnavailable):
        ask("esdb://127.0.0.1:1?tls=false", lambda log: log.following("(?:a-.*)", None, 10, 1.0))
