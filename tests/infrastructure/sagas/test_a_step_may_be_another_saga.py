"""A step that is another saga: a command begins it, and the event at its end wakes the one that waits."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from domain.saga import Saga
from domain.stream_name import stream_name
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.log import Log
from infrastructure.sagas.consumer import consume_saga
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import until
from tests.infrastructure.sagas.errand import Errands, new_tag, request
from tests.infrastructure.sagas.outing import Outings, PlanOuting, leg_id
from tests.infrastructure.sagas.shelf import Stocked, Taken


def test_legs_under_way_together_are_joined_and_each_is_done_once(eventstore_uri: str) -> None:
    async def run() -> None:
        outings, tag, outing_id = Outings(new_tag()), new_tag(), str(uuid4())
        stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            client, *own = [await stack.enter_async_context(connected(eventstore_uri)) for _ in range(3)]
            errands = Errands(tag)
            *shelves, prize = await errands.stocked(client, 5, 5, 5, 5)
            plan = PlanOuting(request_id=str(uuid4()), outing_id=outing_id, shelves=tuple(shelves), prize=prize)
            await CommandHandler(client, outings.codec).handle(outings.requests, plan, request())
            sagas: tuple[Saga[Any, Any], ...] = (outings.outing, outings.leg)
            consumers = [
                asyncio.create_task(
                    consume_saga(outings.coordinator(saga, client), each, f"outings-{saga.category}", stop)
                )
                for saga, each in zip(sagas, own, strict=True)
            ]
            stream = stream_name(outings.outing.category, outing_id)

            async def won() -> bool:
                return len(await Log(client).of_stream(stream, 0, 100) or []) == 8  # begun, sent and done thrice, won

            await until(won, "the prize")
            stop.set()
            await asyncio.gather(*consumers)
            told = [record.type for record in await Log(client).of_stream(stream, 0, 100) or []]
            assert sorted(told) == sorted(["OutingBegun", *["OutingLegSent", "OutingLegDone"] * 3, "OutingPrizeWon"])
            assert told[-1] == "OutingPrizeWon"
            takers = [leg_id(outing_id, shelf_id) for shelf_id in shelves]
            for shelf_id, taker in zip([*shelves, prize], [*takers, outing_id], strict=True):
                assert await errands.story(client, f"shelf-{shelf_id}") == [Stocked(number=5), Taken(errand_id=taker)]

    asyncio.run(run())
