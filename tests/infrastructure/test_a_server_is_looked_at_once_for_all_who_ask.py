"""However many ask how a server is, it is looked at once; a little later it is looked at again."""

import asyncio

from infrastructure.shared_look import SharedLook
from tests.support.clock import Clock


class Server:
    """Counts looks, each of which ends when it is told to."""

    def __init__(self) -> None:
        self.looks = 0
        self.answers = asyncio.Event()

    async def look(self) -> int:
        self.looks += 1
        await self.answers.wait()
        return self.looks


def test_who_asks_meanwhile_gets_the_same_and_who_asks_later_another() -> None:
    async def live() -> None:
        server, clock = Server(), Clock()
        shared = SharedLook(server.look, 0.25, clock)
        asked = [asyncio.create_task(shared.found()) for _ in range(3)]
        asyncio.get_running_loop().call_soon(server.answers.set)
        assert await asyncio.gather(*asked) == [1, 1, 1]
        clock.now = 0.2
        assert await shared.found() == 1
        clock.now = 0.3
        assert await shared.found() == 2
        await shared.close()

    asyncio.run(live())


def test_who_gives_up_leaves_the_look_to_the_others() -> None:
    async def live() -> None:
        server = Server()
        shared = SharedLook(server.look, 0.25, Clock())
        impatient, patient = (asyncio.create_task(shared.found()) for _ in range(2))
        asyncio.get_running_loop().call_soon(impatient.cancel)
        asyncio.get_running_loop().call_soon(server.answers.set)
        assert (await patient, server.looks) == (1, 1)
        assert impatient.cancelled()
        await shared.close()

    asyncio.run(live())
