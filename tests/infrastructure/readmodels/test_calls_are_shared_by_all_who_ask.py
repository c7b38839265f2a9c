"""Many who ask for one thing at once cost one call, or two where some came while it was under way."""

import asyncio

from infrastructure.readmodels.shared_calls import SharedCalls


class Question:
    """Answers with its number, once it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.let_go = asyncio.Event()

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await self.let_go.wait()
        return number


async def asked(calls: SharedCalls, question: Question, times: int) -> list["asyncio.Task[int]"]:
    """So many who have asked, in the order of the tasks."""
    asking = [asyncio.create_task(calls.answer("it", question)) for _ in range(times)]
    for _ in range(3):  # of the event loop: they ask, the call begins
        await asyncio.to_thread(lambda: None)
    return asking


def test_who_comes_while_a_call_is_under_way_gets_the_next_one_s_answer() -> None:
    async def story() -> None:
        calls, question = SharedCalls(), Question()
        first = await asked(calls, question, 1)
        later = await asked(calls, question, 100)
        question.let_go.set()
        assert await asyncio.gather(*first, *later) == [1] + [2] * 100
        assert await calls.answer("it", question) == 3

    asyncio.run(story())


def test_calls_of_another_key_do_not_wait() -> None:
    async def story() -> None:
        calls, stuck, free = SharedCalls(), Question(), Question()
        [waiting] = await asked(calls, stuck, 1)
        free.let_go.set()
        assert await calls.answer("another", free) == 1
        stuck.let_go.set()
        assert await waiting == 1

    asyncio.run(story())


def test_what_a_call_raises_all_hear_and_the_next_is_made_anew() -> None:
    async def fails() -> int:
        raise LookupError

    async def story() -> None:
        calls, question = SharedCalls(), Question()
        heard = await asyncio.gather(*(calls.answer("it", fails) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in heard] == [LookupError] * 3
        question.let_go.set()
        assert await calls.answer("it", question) == 1

    asyncio.run(story())


def test_one_who_gives_up_takes_the_answer_from_nobody() -> None:
    async def story() -> None:
        calls, question = SharedCalls(), Question()
        [first] = await asked(calls, question, 1)
        later = await asked(calls, question, 2)
        for each in (first, later[0]):
            each.cancel()
        question.let_go.set()
        assert await later[1] == 2

    asyncio.run(story())
