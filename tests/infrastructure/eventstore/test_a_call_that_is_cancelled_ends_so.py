"""A call ends as cancelled at whatever moment its task is cancelled, also where its answer is just there."""

import asyncio
from collections import Counter
from random import Random

from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.log import Log

CALLS = 500
LONGEST = 0.004  # seconds: some are answered before


def test_a_read_whose_answer_is_just_there(eventstore_uri: str) -> None:
    random, ended = Random(1), Counter[bool]()

    async def story() -> None:
        client = await command_client(eventstore_uri)
        log = Log(client)
        for _ in range(CALLS):
            reading = asyncio.create_task(log.last())
            await asyncio.wait({reading}, timeout=random.uniform(0, LONGEST))
            if reading.cancel():
                await asyncio.wait({reading})
                ended[reading.cancelled()] += 1
        await client.close()

    asyncio.run(story())
    assert ended[True] > 0
    assert ended[False] == 0
