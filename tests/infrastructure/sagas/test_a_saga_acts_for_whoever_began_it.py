"""A saga acts as itself, and what it does says for whom: for whoever sent the command that it reacts to."""

import asyncio
import json
from dataclasses import replace

import pytest

from infrastructure.eventstore.log_reader import open_reader
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.live_orders import LiveOrder, patient_handler

SAGA = "saga:fulfilment"


@pytest.mark.parametrize(("sender", "told"), [("ada", "ada"), ("anonymous", None), ("cli:bob", "cli:bob")])
def test_all_that_follows_is_on_behalf_of_the_sender(eventstore_uri: str, sender: str, told: str | None) -> None:
    async def run() -> LiveOrder:
        async with connected(eventstore_uri) as client:
            order = LiveOrder(patient_handler(client))
            await order.begin()
            message = (await order.recorded(f"order-{order.id}"))[-1]
            assert message.metadata.actor == "anonymous"
            sent = replace(message, metadata_or_read=message.metadata.model_copy(update={"actor": sender}))
            await order.coordinator().react(sent)
            return order

    order = asyncio.run(run())
    with open_reader(eventstore_uri) as reader:
        stored = [
            json.loads(record.metadata)
            for stream in (order.stream, *order.targets)
            for record in reader.page(stream, 0, 100) or ()
        ]
    acted = [each for each in stored if each["actor"] == SAGA]
    assert len(acted) == 15
    assert {each.get("on_behalf_of") for each in acted} == {told}
    assert all("on_behalf_of" not in each for each in stored if each["actor"] != SAGA or told is None)
    assert all(list(each)[-2:] == ["schema_version", "time"] for each in stored)
