"""Calls that many ask for at once are made once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar

T = TypeVar("T")


class SharedCalls:
    """One call at a time for each key. Its answer all get who asked before it began; who comes later gets the next.

    A call goes on when nobody waits for it any more, so it has to have a bound of its own.
    """

    def __init__(self) -> None:
        self._under_way: Final[dict[Hashable, asyncio.Task[Any]]] = {}
        self._next: Final[dict[Hashable, asyncio.Task[Any]]] = {}

    async def answer(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        """What a call returns that begins now or later, or raises. Calls of one key have to be alike."""
        answer: T = await asyncio.shield(self._joined(key, call))
        return answer

    def _joined(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> asyncio.Task[Any]:
        if (following := self._next.get(key)) is not None:
            return following
        if (current := self._under_way.get(key)) is not None:
            task = self._next[key] = asyncio.create_task(self._after(current, key, call))
        else:
            task = self._under_way[key] = asyncio.create_task(_called(call))
        task.add_done_callback(lambda ended: self._ended(key, ended))
        return task

    async def _after(self, current: asyncio.Task[Any], key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        await asyncio.wait({current})
        self._under_way[key] = self._next.pop(key)
        return await call()

    def _ended(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        for tasks in (self._under_way, self._next):
            if tasks.get(key) is task:
                del tasks[key]
        if not task.cancelled():
            task.exception()  # else asyncio complains of one that nobody waits for any more


async def _called(call: Callable[[], Awaitable[T]]) -> T:
    return await call()
