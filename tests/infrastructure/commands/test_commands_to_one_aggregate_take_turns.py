"""Commands to one aggregate take turns in the order in which they came; nobody waits without bound, or in vain."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.commands.cache import Cache
from infrastructure.eventstore.errors import Overloaded


def made(version: int = 0) -> Callable[[], Aggregate[int]]:
    def make() -> Aggregate[int]:
        aggregate = Aggregate("tally-0", 0, lambda state, event: state)
        aggregate.version = version
        return aggregate

    return make


async def hold(cache: Cache, free: asyncio.Event, order: list[str], name: str, stream: str = "tally-0") -> None:
    async with cache.turn(stream, made()):
        order.append(name)
        await free.wait()


def begun(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    return asyncio.get_running_loop().create_task(work)


async def settled() -> None:
    """Lets all others go on until they wait."""
    loop = asyncio.get_running_loop()
    for _ in range(10):
        turn = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn


def test_turns_come_in_the_order_of_arrival() -> None:
    async def run() -> None:
        cache, free, order = Cache(10, queued=10, seconds=5), asyncio.Event(), list[str]()
        tasks = [begun(hold(cache, free, order, str(number))) for number in range(5)]
        free.set()
        await asyncio.gather(*tasks)
        assert order == ["0", "1", "2", "3", "4"]

    asyncio.run(run())


def test_more_than_may_wait_are_sent_away_at_once() -> None:
    async def run() -> None:
        cache, free, order = Cache(10, queued=2, seconds=5), asyncio.Event(), list[str]()
        tasks = [begun(hold(cache, free, order, str(number))) for number in range(3)]
        await settled()
        with pytest.raises(Overloaded) as refusal:
            await hold(cache, free, order, "too many")
        assert (refusal.value.place, refusal.value.waiting) == ("tally-0", 3)
        other = begun(hold(cache, free, order, "another aggregate", "tally-1"))
        await settled()
        assert order == ["0", "another aggregate"]
        free.set()
        await asyncio.gather(other, *tasks)

    asyncio.run(run())


def test_who_gets_no_turn_in_time_is_told_and_leaves_nothing() -> None:
    async def run() -> None:
        cache, free, order = Cache(10, queued=5, seconds=0.05), asyncio.Event(), list[str]()
        first = begun(hold(cache, free, order, "first"))
        await settled()
        with pytest.raises(Overloaded):
            await hold(cache, free, order, "second")
        free.set()
        await first
        await hold(cache, free, order, "third")
        assert order == ["first", "third"]

    asyncio.run(run())


def test_a_waiter_who_is_cancelled_passes_its_turn_on() -> None:
    async def run() -> None:
        cache, free, order = Cache(10, queued=5, seconds=5), asyncio.Event(), list[str]()
        tasks = [begun(hold(cache, free, order, str(number))) for number in range(3)]
        await settled()
        tasks[1].cancel()
        free.set()
        await asyncio.wait(tasks)
        assert (order, tasks[1].cancelled()) == (["0", "2"], True)

    asyncio.run(run())


def test_those_in_use_are_kept_beyond_the_bound() -> None:
    async def run() -> None:
        cache, free, order = Cache(1, queued=5, seconds=5), asyncio.Event(), list[str]()
        held = [begun(hold(cache, free, order, stream, stream)) for stream in ("tally-0", "tally-1")]
        await settled()
        async with cache.turn("tally-2", made()) as passing:
            pass
        assert len(cache) == 2  # the one that nobody uses has gone
        async with cache.turn("tally-2", made()) as again:
            assert again is not passing
        free.set()
        await asyncio.gather(*held)
        assert len(cache) == 1

    asyncio.run(run())


def test_what_holds_nothing_is_not_kept() -> None:
    async def run() -> None:
        cache = Cache(10, queued=5, seconds=5)
        async with cache.turn("tally-0", made(version=-1)):
            assert len(cache) == 1
        assert len(cache) == 0

    asyncio.run(run())
