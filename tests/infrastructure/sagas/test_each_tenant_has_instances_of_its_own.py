"""An instance belongs to the tenant of its message's stream, and so do the commands that it sends."""

import asyncio

from infrastructure.eventstore.log import Log
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import consuming, until
from tests.infrastructure.sagas.errand import ErrandBegun, Errands, ThingFetched, new_tag
from tests.infrastructure.sagas.shelf import Stocked, Taken


def test_the_same_ids_of_two_tenants_are_two_instances_with_targets_of_their_own(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            (shelf_id,) = await errands.stocked(client, 3)
            await errands.stock(client, shelf_id, 2, tenant="acme")
            ours = await errands.ask(client, [shelf_id])
            errand = ours.event.errand_id
            theirs = await errands.ask(client, [shelf_id], errand, tenant="acme")
            streams = [errands.stream(errand), errands.stream(errand, "acme")]

            async def all_done() -> bool:
                return [len(await Log(client).of_stream(stream, 0, 10) or ()) for stream in streams] == [2, 2]

            async with consuming(eventstore_uri, errands):
                await until(all_done, "both")
            for tenant, prefix, message, number in (("default", "", ours, 3), ("acme", "acme.", theirs, 2)):
                facts = await errands.recorded(client, errands.stream(errand, tenant))
                taken = await errands.recorded(client, f"{prefix}shelf-{shelf_id}")
                assert [each.event for each in facts] == [
                    ErrandBegun(errand_id=errand, shelves=(shelf_id,)),
                    ThingFetched(shelf_id=shelf_id),
                ]
                assert [each.event for each in taken] == [Stocked(number=number), Taken(errand_id=errand)]
                assert {each.metadata.tenant for each in (*facts, *taken)} == {tenant}
                assert facts[0].metadata.causation_id == message.id

    asyncio.run(run())
