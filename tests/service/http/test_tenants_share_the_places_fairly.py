"""One tenant may fill a gate; another one gets its share of the places, and every second turn."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import httpx
import pytest

from service.http.middleware.gate import Gate
from service.http.problems import Problem
from service.settings import Settings
from tests.service.http.tenants import Tenants, tenants_of
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

_STEPS = 5  # from a turn that is given to what its taker does


class Rush:
    """Requests that come into a gate one after the other, and stay until they are let out."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._out: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.at_work: list[str] = []
        self.refused: list[str] = []

    async def come(self, tenant: str, *names: str) -> None:
        """These requests of a tenant come, and get as far as they can."""
        for name in names:
            self._out[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._enter(tenant, name))
        await _settled()

    async def leave(self, name: str) -> None:
        """It has done its work."""
        self._out[name].set()
        await _settled()

    async def give_up(self, name: str) -> None:
        """Its caller waits no longer."""
        self._tasks[name].cancel()
        await _settled()

    async def _enter(self, tenant: str, name: str) -> None:
        try:
            async with self._gate.place(tenant):
                self.at_work.append(name)
                await self._out[name].wait()
        except Problem as refusal:
            self.refused.append(f"{name}: {refusal.rule}")


async def _settled() -> None:
    """Everybody has gone as far as nothing but others keep them from going: tasks take their steps in order."""
    for _ in range(_STEPS):
        await asyncio.create_task(_nothing())


async def _nothing() -> None:
    """Ends as soon as those have taken a step that were there before."""


def test_one_that_is_alone_may_have_all_places() -> None:
    async def run() -> None:
        rush = Rush(Gate(1, waiting=2, seconds=60))
        await rush.come("default", "a", "b", "c", "d")
        assert (rush.at_work, rush.refused) == (["a"], ["d: overloaded"])

    asyncio.run(run())


def test_turns_go_round_by_tenants_whoever_came_first() -> None:
    async def run() -> None:
        rush = Rush(Gate(1, waiting=4, seconds=60))
        await rush.come("default", "a", "b", "c", "d", "e")
        await rush.come("acme", "v", "w")
        await rush.come("zeta", "z")
        for name in ("a", "b", "v", "z", "c", "w", "d"):
            await rush.leave(name)
        assert rush.at_work == ["a", "b", "v", "z", "c", "w", "d", "e"]
        assert rush.refused == []

    asyncio.run(run())


def test_one_that_comes_late_gets_its_share_and_no_more_and_the_first_gets_nothing_more() -> None:
    async def run() -> None:
        rush = Rush(Gate(1, waiting=3, seconds=60))
        await rush.come("default", "a", "b", "c", "d")
        await rush.come("acme", "v", "w", "x")
        await rush.come("default", "e")
        assert rush.refused == ["x: overloaded", "e: overloaded"]

    asyncio.run(run())


def test_where_nobody_waits_the_share_is_worked_on_at_once() -> None:
    async def run() -> None:
        rush = Rush(Gate(2))
        await rush.come("default", "a", "b", "c")
        await rush.come("acme", "v", "w")
        assert (rush.at_work, rush.refused) == (["a", "b", "v"], ["c: overloaded", "w: overloaded"])
        await rush.leave("a")
        await rush.come("default", "d")
        assert rush.at_work == ["a", "b", "v"]
        await rush.leave("v")
        await rush.come("default", "e")
        assert rush.at_work == ["a", "b", "v", "e"]

    asyncio.run(run())


def test_where_no_more_may_be_worked_on_at_once_the_share_waits_though_nobody_else_may() -> None:
    async def run() -> None:
        rush = Rush(Gate(2, seconds=60))
        await rush.come("default", "a", "b", "c")
        await rush.come("acme", "v", "w")
        assert (rush.at_work, rush.refused) == (["a", "b"], ["c: overloaded", "w: overloaded"])
        await rush.leave("a")
        assert rush.at_work == ["a", "b", "v"]

    asyncio.run(run())


def test_however_many_tenants_there_are_no_more_than_twice_as_many_get_in() -> None:
    async def run() -> None:
        rush = Rush(Gate(1, waiting=2, seconds=60))
        await rush.come("default", "a", "b", "c")
        for number in range(9):
            await rush.come(f"t{number}", f"n{number}")
        assert rush.refused == [f"n{number}: overloaded" for number in range(3, 9)]

    asyncio.run(run())


def test_who_gives_up_leaves_its_turn_to_the_next() -> None:
    async def run() -> None:
        rush = Rush(Gate(1, waiting=3, seconds=60))
        await rush.come("default", "a", "b", "c")
        await rush.come("acme", "v")
        await rush.give_up("v")
        await rush.give_up("b")
        await rush.leave("a")
        assert rush.at_work == ["a", "c"]
        await rush.leave("c")
        await rush.come("acme", "w")
        assert rush.at_work == ["a", "c", "w"]

    asyncio.run(run())


def test_a_turn_that_does_not_come_in_time_is_a_refusal_and_takes_nobody_s() -> None:
    async def run() -> None:
        gate = Gate(1, waiting=1, seconds=0.01)
        async with gate.place("default"):
            with pytest.raises(Problem, match=r"Its turn did not come within 0\.01 s"):
                await gate.place("acme").__aenter__()
        async with gate.place("acme"):
            assert not gate.is_full_for("default")

    asyncio.run(run())


def test_a_refusal_tells_of_the_own_requests_alone() -> None:
    async def run() -> None:
        gate = Gate(4)
        with suppress(Problem):
            async with gate.place("default"), gate.place("default"), gate.place("default"), gate.place("acme"):
                assert not gate.is_full_for("acme")
                assert "1 requests of this kind" in str(gate.refusal("acme"))

    asyncio.run(run())


@pytest.fixture(scope="module")
def narrow(service: FoldstreamProcess, eventstore_uri: str, redis_uri: str, namespace: str) -> Iterator[Tenants]:
    """One command at work, two that wait, one query."""
    servers = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=namespace)
    bounds = {"commands_at_once": 1, "commands_waiting": 2, "queries_at_once": 1}
    with tenants_of(servers.model_copy(update=bounds)) as made:
        yield made


def receive(http: httpx.Client) -> httpx.Response:
    return http.post("/stock/mug-of-many/receipts", json={"quantity": 1})


def look(http: httpx.Client) -> httpx.Response:
    return http.get("/stock?below=5")


@pytest.mark.parametrize("ask", [receive, look])
def test_the_flood_of_one_refuses_nothing_of_another(
    narrow: Tenants, ask: Callable[[httpx.Client], httpx.Response]
) -> None:
    """Eight of one ask without a pause, and most are sent away; one of another asks twenty times, and gets answers."""
    loud, quiet = (narrow.of(f"{name}_{uuid4().hex[:8]}") for name in ("loud", "quiet"))
    flooding, over = Counter[int](), threading.Event()

    def flood() -> None:
        while not over.is_set():
            flooding[ask(loud).status_code] += 1

    with ThreadPoolExecutor(8) as threads:
        for _ in range(8):
            threads.submit(flood)
        poll_until(lambda: flooding[429] > 0, seconds=20, what="the flood")
        answered = [ask(quiet).status_code for _ in range(20)]
        over.set()
    assert set(answered) <= {200, 201}
    assert set(flooding) == {200, 201, 429} - ({201} if ask is look else set())
