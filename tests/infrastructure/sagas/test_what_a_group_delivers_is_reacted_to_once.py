"""What a group delivers is reacted to once, several sagas at a time."""

import asyncio
from collections import Counter

from infrastructure.sagas.deliveries import ConsumerOptions
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import GatedCoordinator, consuming, here, until, until_done
from tests.infrastructure.sagas.errand import Errands, ThingFetched, new_tag
from tests.infrastructure.sagas.shelf import Stocked, Taken


def test_messages_from_before_and_after_the_start_are_reacted_to(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, 2, 2)
            early = await errands.ask(client, shelves)
            async with consuming(eventstore_uri, errands):
                await until_done(client, early, 3)
                late = await errands.ask(client, shelves)
                await until_done(client, late, 3)
            takers = [early.event.errand_id, late.event.errand_id]
            for shelf_id in shelves:
                told = await errands.story(client, f"shelf-{shelf_id}")
                assert told == [Stocked(number=2), *(Taken(errand_id=taker) for taker in takers)]

    asyncio.run(run())


def test_workers_that_compete_do_everything_once(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            (shelf_id,) = await errands.stocked(client, 100)
            async with consuming(eventstore_uri, errands), consuming(eventstore_uri, errands):
                messages = [await errands.ask(client, [shelf_id]) for _ in range(20)]
                for message in messages:
                    await until_done(client, message, 2)
            told = await errands.story(client, f"shelf-{shelf_id}")
            assert told[0] == Stocked(number=100)
            takers = Counter(event.errand_id for event in told[1:] if isinstance(event, Taken))
            assert takers == {message.event.errand_id: 1 for message in messages}

    asyncio.run(run())


def test_several_sagas_run_at_once_but_no_more_than_allowed(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            coordinator = GatedCoordinator(errands, client)
            shelves = await errands.stocked(client, 10)
            messages = [await errands.ask(client, shelves) for _ in range(6)]
            async with consuming(eventstore_uri, errands, ConsumerOptions(concurrency=3), coordinator):
                await until(here(lambda: coordinator.most == 3), "three reactions at once")
                coordinator.gate.set()
                for message in messages:
                    await until_done(client, message, 2)
            assert coordinator.most == 3

    asyncio.run(run())


def test_one_saga_reacts_to_one_message_at_a_time(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            coordinator = GatedCoordinator(errands, client)
            shelves = await errands.stocked(client, 10)
            first = await errands.ask(client, shelves)
            same = [await errands.ask(client, shelves, first.event.errand_id) for _ in range(3)]
            other = await errands.ask(client, shelves)
            async with consuming(eventstore_uri, errands, coordinator=coordinator):
                await until(here(lambda: other.id in coordinator.came), "the other message")
                coordinator.gate.set()
                await until(here(lambda: len(coordinator.came) == 5 and not coordinator.inside.total()), "all five")
            assert set(coordinator.came) == {first.id, other.id, *(message.id for message in same)}
            assert (coordinator.most, coordinator.most_of_one) == (2, 1)
            assert (await errands.story(client, errands.stream(first.event.errand_id)))[1:] == [
                ThingFetched(shelf_id=shelves[0])
            ]

    asyncio.run(run())
