"""Where an old record means several events, they are decided on, folded and reacted to together, under one version."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.engine_events import SagaMessageLate
from domain.message import Recorded
from domain.saga_end import Ending
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import CommandIdReused, VersionMismatch
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.streams import Streams
from infrastructure.readmodels.fold import fold, touched
from infrastructure.readmodels.record_reader import reader_of
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.filters import pattern_of
from infrastructure.sagas.sweep import Sweep
from infrastructure.subscriptions.frames import Frame, Happened
from infrastructure.subscriptions.policy import Stop
from projections.projection import Add, Entry, Projection
from tests.infrastructure.commands.stories import stored, version_of
from tests.infrastructure.commands.tally import connected, request
from tests.infrastructure.eventstore.lamps import (
    CODEC,
    LAMP,
    LAMPS,
    LIGHTS,
    SAGA,
    LampLit,
    LampNamed,
    LampRow,
    NameLamp,
    NameNoted,
    begun,
    decider,
)
from tests.infrastructure.eventstore.lamps import recorded as as_recorded
from tests.support.polling import poll_until_async

SECONDS = 20.0


def frame(projection: Projection[LampRow], *names: str) -> Frame:
    return reader_of(projection, CODEC)(as_recorded(begun(LAMP, *names), version=3, position=10))


def test_a_read_model_takes_in_all_of_it_at_once() -> None:
    batch = [frame(LAMPS, "ann", "bob")]
    assert touched(LAMPS, batch, None) == [LAMP]
    folded = fold(LAMPS, {}, batch, None)
    assert folded.rows == {LAMP: LampRow(lit=1, names=("ann", "bob"), version=3)}
    assert [change for change in folded.changes.values() if isinstance(change, Add)] == [
        Add(Entry("names:2", LAMP, 10))
    ]
    assert (folded.position, folded.failure) == (10, None)


def test_a_read_model_takes_in_nothing_of_it_where_one_part_fails() -> None:
    folded = fold(LAMPS, {}, [frame(LAMPS, "ann", "")], 4)
    assert (folded.rows, folded.changes, folded.position) == ({}, {}, 10)
    block = folded.blocks[LAMP]
    assert block is not None
    assert (block.version, block.position, block.reason) == (3, 10, "a name has letters")


def test_a_read_model_does_not_take_it_in_again() -> None:
    folded = fold(LAMPS, {}, [frame(LAMPS, "ann"), frame(LAMPS, "ann")], None)
    assert folded.rows == {LAMP: LampRow(lit=1, names=("ann",), version=3)}


def test_a_read_model_that_ignores_a_part_of_it_takes_in_the_rest() -> None:
    folded = fold(LIGHTS, {}, [frame(LIGHTS, "ann")], None)
    assert folded.rows == {LAMP: LampRow(lit=1, names=(), version=3)}


def test_two_parts_at_one_place_of_an_index_are_refused() -> None:
    """Pages of an index end between places: of two entries at one of them the second could be missed."""
    by_name = replace(
        LAMPS, index=lambda before, after: [Add(Entry("names", name, 10)) for name in (after.names if after else ())]
    )
    folded = fold(by_name, {}, [frame(by_name, "ann", "bob")], None)
    block = folded.blocks[LAMP]
    assert block is not None
    assert block.reason == "several events of one record stand at one place in names"


def test_a_part_that_the_read_model_does_not_know_blocks_its_stream() -> None:
    unaware = replace(LIGHTS, ignored=frozenset())
    folded = fold(unaware, {}, [frame(unaware, "ann")], None)
    block = folded.blocks[LAMP]
    assert block is not None
    assert (block.event_type, block.version, block.position) == ("LampNamed", 3, 10)
    assert (block.error, folded.rows) == ("UnknownEventType", {})


async def _append(client: CommandClient, lamp_id: str, *names: str) -> Appended:
    return await Streams(client, CODEC).append(f"lamp-{lamp_id}", -1, [begun(lamp_id, *names)])


def test_a_command_is_decided_on_all_of_it_and_appended_after_the_record(eventstore_uri: str) -> None:
    async def story() -> tuple[Outcome, Outcome, Outcome]:
        lamp_id = str(uuid4())
        async with connected(eventstore_uri) as client:
            await _append(client, lamp_id, "ann", "bob")
            handler = CommandHandler(client, CODEC)
            known = await handler.handle(decider, NameLamp(lamp_id=lamp_id, name="bob"), request(if_version=0))
            with pytest.raises(VersionMismatch):
                await handler.handle(decider, NameLamp(lamp_id=lamp_id, name="cid"), request(if_version=2))
            sent = request(if_version=0)
            new = await handler.handle(decider, NameLamp(lamp_id=lamp_id, name="cid"), sent)
            return known, new, await handler.handle(decider, NameLamp(lamp_id=lamp_id, name="cid"), sent)

    known, new, again = asyncio.run(story())
    assert (known.events, known.version) == ((), 0)
    assert (new.version, new.events) == (1, (LampNamed(lamp_id=new.stream.partition("-")[2], name="cid"),))
    assert (again.repeated, again.version, again.position, again.events) == (True, 1, new.position, new.events)


def test_a_repeat_of_the_command_that_left_it_is_answered_with_all_of_it(eventstore_uri: str) -> None:
    async def story() -> Outcome:
        lamp_id, sent = str(uuid4()), request()
        async with connected(eventstore_uri) as client:
            event = begun(lamp_id, "ann", command_id=sent.command_id)
            stream = f"lamp-{lamp_id}"
            await Streams(client, CODEC).append(stream, -1, [event])
            handler = CommandHandler(client, CODEC)
            other = replace(sent, digest="another")
            with pytest.raises(CommandIdReused):
                await handler.handle(decider, NameLamp(lamp_id=lamp_id, name="cid"), other)
            return await handler.handle(decider, NameLamp(lamp_id=lamp_id, name="cid"), sent)

    outcome = asyncio.run(story())
    assert outcome.repeated
    assert outcome.version == 0
    assert [type(event) for event in outcome.events] == [LampLit, LampNamed]


def test_a_saga_asks_the_store_for_records_by_their_older_names_too() -> None:
    assert pattern_of(SAGA) == "(?:LampBegun|LampNamed|SagaResumed)"


async def _noted(client: CommandClient, lamp_id: str) -> list[Recorded[Any]]:
    records = await stored(client, f"lampnote-{lamp_id}")
    return [each for record in records for each in CODEC.events_in(record)]


def _coordinator(client: CommandClient) -> SagaCoordinator:
    def route(command: Any) -> Any:
        raise AssertionError("it asks for nothing")

    return SagaCoordinator(SAGA, route, CommandHandler(client, CODEC), CODEC)


def test_a_saga_reacts_to_each_part_that_wakes_it_once(eventstore_uri: str) -> None:
    async def story() -> tuple[Appended, list[Recorded[Any]]]:
        lamp_id, stop = str(uuid4()), asyncio.Event()
        async with connected(eventstore_uri) as client, connected(eventstore_uri) as own:
            cause = await _append(client, lamp_id, "ann", "bob", "ann")
            group = f"lampnotes-{uuid4()}"
            consuming = asyncio.create_task(consume_saga(_coordinator(client), own, group, stop))
            await _until_both_are_noted(client, lamp_id)
            stop.set()
            await asyncio.wait_for(consuming, SECONDS)
            [record] = await stored(client, f"lamp-{lamp_id}")
            for message in _coordinator(client).messages_in(record):
                await _coordinator(client).react(message)
            return cause, await _noted(client, lamp_id)

    cause, noted = asyncio.run(story())
    assert [each.event.name for each in noted] == ["ann", "bob"]
    assert {each.metadata.causation_id for each in noted} == {cause.last_id}
    assert len({each.id for each in noted}) == len({each.metadata.command_id for each in noted}) == 2


async def _until_both_are_noted(client: CommandClient, lamp_id: str) -> None:
    async def are_noted() -> bool:
        return await version_of(client, f"lampnote-{lamp_id}") == 1

    await poll_until_async(are_noted, SECONDS, what="both notes")


def test_a_sweep_finds_what_no_delivery_brought(eventstore_uri: str) -> None:
    async def story() -> list[Recorded[Any]]:
        lamp_id = str(uuid4())
        async with connected(eventstore_uri) as client:
            await _append(client, lamp_id, "ann", "bob")
            log = Log(client)
            sweep = Sweep(_coordinator(client), log, lambda error, failures: Stop(str(error)))
            await sweep.through(await log.end())
            return await _noted(client, lamp_id)

    assert [each.event.name for each in asyncio.run(story())] == ["ann", "bob"]


def test_frames_hold_all_of_it() -> None:
    held = frame(LAMPS, "ann")
    assert isinstance(held, Happened)
    assert [(type(each.event), each.index) for each in held.events] == [(LampLit, 0), (LampNamed, 1)]
    assert held.position == 10


def test_of_parts_that_come_after_a_saga_s_end_each_is_recorded_once(eventstore_uri: str) -> None:
    ending = Ending[frozenset[str], NameNoted]({NameNoted: "completed"}, late="record")

    async def story() -> list[Recorded[Any]]:
        lamp_id = str(uuid4())
        async with connected(eventstore_uri) as client:
            await _append(client, lamp_id, "ann", "bob", "cid")
            [record] = await stored(client, f"lamp-{lamp_id}")
            saga, handler = replace(SAGA, ending=ending), CommandHandler(client, CODEC)
            for _ in range(2):
                for message in _coordinator(client).messages_in(record):
                    await SagaCoordinator(saga, lambda command: decider, handler, CODEC).react(message)
            return await _noted(client, lamp_id)

    noted = asyncio.run(story())
    assert [type(each.event) for each in noted] == [NameNoted, SagaMessageLate, SagaMessageLate]
