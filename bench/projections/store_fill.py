"""Adds a log to a store that is there already, by appends as the service makes them."""

import asyncio
from collections.abc import Coroutine, Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from bench.projections.templates import Append
from infrastructure.eventstore.appender import Appender
from infrastructure.eventstore.client import command_client

_IN_FLIGHT: Final = 200


async def append_all(uri: str, appends: Iterable[Append]) -> None:
    """Appends in this order, up to 200 at a time; what follows on one stream is one append.

    Every stream is new. Raises what the appender raises.
    """
    client = await command_client(uri)
    appender, ends = Appender(client), dict[str, int]()
    waiting: dict[str, Coroutine[Any, Any, object]] = {}
    for stream, group in groupby(appends, key=itemgetter(0)):
        records = [record for _, some in group for record in some]
        if stream in waiting or len(waiting) == _IN_FLIGHT:
            await asyncio.gather(*waiting.values())
            waiting.clear()
        end = ends.get(stream, -1)
        waiting[stream] = appender.append(stream, end, records)
        ends[stream] = end + len(records)
    await asyncio.gather(*waiting.values())
    await appender.close()
    await client.close()
