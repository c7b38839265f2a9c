"""A process that closes its client right after its event loop was blocked while hundreds of calls were answered."""

import asyncio
import sys

from infrastructure.eventstore.client import command_client, reader_client
from infrastructure.eventstore.log_reader import LogReader

CALLS = 600


async def main(uri: str) -> None:
    client = await command_client(uri)
    calls = [asyncio.create_task(client.get_commit_position()) for _ in range(CALLS)]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)  # all are sent
    reader = reader_client(uri)
    for _ in range(CALLS):  # the loop stands still meanwhile, and the poller fills its socket
        LogReader(reader).end()
    reader.close()
    for call in calls:
        call.cancel()
    await client.close()


asyncio.run(main(sys.argv[1]))
