"""After its declared end an instance ignores, records or answers a message, or begins its next run with it, once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from domain.engine_events import SagaMessageLate
from domain.message import Event, Recorded, stored_as
from domain.saga import Ask, Saga
from domain.saga_end import End, Ending
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.errors import UnknownInstance, WordRefused
from infrastructure.sagas.instance import Instance, snapshot_rule
from infrastructure.sagas.operator_words import Compensate
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import broken
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    ErrandExtended,
    Errands,
    ThingFetched,
    evolve,
    hear,
    new_tag,
    observe,
    request,
)
from tests.infrastructure.sagas.shelf import Stocked, Taken

Story = Callable[[CommandClient, Errands], Awaitable[None]]


@stored_as(name="ErrandDone", version=1)
class ErrandDone(Event):
    errand_id: str


DONE: Final[Mapping[type[Any], End]] = {ErrandDone: "completed"}


def on_late(event: Any, errand: Errand) -> list[ErrandEvent]:
    return [ErrandExtended(shelves=event.shelves)]


def begin_again(event: Any, errand: Errand) -> list[ErrandEvent]:
    return observe(event.errand_id, event.shelves, errand if errand.ahead else Errand())


def hear_to_the_end(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[Any]:
    facts = hear(ask, answer, errand)
    left = reduce(evolve, facts, errand).ahead
    return facts if left else [*facts, ErrandDone(errand_id=errand.errand_id)]


def evolve_to_the_end(errand: Errand, event: Any) -> Errand:
    return errand if isinstance(event, ErrandDone) else evolve(errand, event)


def that_ends(saga: Saga[Errand, Any]) -> Saga[Errand, Any]:
    return replace(saga, events=(*saga.events, ErrandDone), evolve=evolve_to_the_end)


def tell(uri: str, story: Story) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            await story(client, Errands(new_tag(), hear=hear_to_the_end, build=that_ends))

    asyncio.run(run())


def late_at(message: Recorded[Any]) -> SagaMessageLate:
    return SagaMessageLate(
        stream=message.stream, version=message.version, position=message.position, message_id=str(message.id)
    )


async def done_and_asked_again(client: CommandClient, errands: Errands) -> tuple[Recorded[Any], Recorded[Any]]:
    """An errand that has ended, and a message to it that came after that; both are reacted to, and again."""
    [shelf_id] = await errands.stocked(client, 3)
    message = await errands.ask(client, [shelf_id])
    await errands.coordinator(client).react(message)
    later = await errands.ask(client, await errands.stocked(client, 3), message.event.errand_id)
    assert await errands.coordinator(client).is_settled(message)
    for each in (later, message, later):
        await errands.coordinator(client).react(each)
        assert await errands.coordinator(client).is_settled(each)
    return message, later


def test_it_is_ignored(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        errands.saga = replace(errands.saga, ending=Ending(DONE, late="ignore"))
        message, _ = await done_and_asked_again(client, errands)
        assert len(await errands.recorded(client, errands.stream(message.event.errand_id))) == 3

    tell(eventstore_uri, story)


def test_it_is_recorded_once(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        errands.saga = replace(errands.saga, ending=Ending(DONE, late="record"))
        message, later = await done_and_asked_again(client, errands)
        told = await errands.story(client, errands.stream(message.event.errand_id))
        assert told[3:] == [late_at(later)]

    tell(eventstore_uri, story)


def test_it_is_answered_once(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        errands.saga = replace(errands.saga, ending=Ending(DONE, late="answer", on_late=on_late))
        message, later = await done_and_asked_again(client, errands)
        [shelf_id] = later.event.shelves
        told = await errands.story(client, errands.stream(message.event.errand_id))
        done = ErrandDone(errand_id=message.event.errand_id)
        assert told[2:] == [done, ErrandExtended(shelves=(shelf_id,)), ThingFetched(shelf_id=shelf_id), done]

    tell(eventstore_uri, story)


def test_one_that_begins_again_begins_one_more_run_and_a_repeat_of_the_first_begins_none(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        ending = Ending[Errand, Any](DONE, late="ignore", begins_again=(ErrandBegun,))
        errands.saga = replace(errands.saga, observe=begin_again, ending=ending)
        message, later = await done_and_asked_again(client, errands)
        errand = message.event.errand_id
        again = await errands.ask(client, message.event.shelves, errand)
        await errands.coordinator(client).react(again)
        assert await errands.story(client, errands.stream(errand)) == [
            event
            for each in (message, later, again)
            for event in (
                ErrandBegun(errand_id=errand, shelves=each.event.shelves),
                ThingFetched(shelf_id=each.event.shelves[0]),
                ErrandDone(errand_id=errand),
            )
        ]
        told = await errands.story(client, f"shelf-{message.event.shelves[0]}")
        assert told == [Stocked(number=3), Taken(errand_id=errand), Taken(errand_id=errand)]

    tell(eventstore_uri, story)


def test_one_that_began_nothing_begins_nothing_when_it_comes_again_after_the_end(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        ending = Ending[Errand, Any](DONE, late="ignore", begins_again=(ErrandBegun,))
        errands.saga = replace(errands.saga, observe=begin_again, ending=ending)
        message = await errands.ask(client, await errands.stocked(client, 3))
        errands.route = broken
        for each in (message, await errands.ask(client, message.event.shelves, message.event.errand_id)):
            with pytest.raises(KeyError):
                await errands.coordinator(client).react(each)
        errands.route = Errands(errands.tag).route
        for _ in range(2):
            await errands.coordinator(client).react(each)
        told = await errands.story(client, errands.stream(message.event.errand_id))
        names = ["ErrandBegun", "SagaMessageTaken", "ThingFetched", "ErrandDone"]
        assert [type(event).__name__ for event in told] == names

    tell(eventstore_uri, story)


def test_what_has_ended_is_not_undone_on_an_operator_s_word(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        errands.saga = replace(errands.saga, on_compensate=lambda why, errand: [])
        undo = Compensate("so it is")
        message = await errands.ask(client, await errands.stocked(client, 3))
        stream = errands.stream(message.event.errand_id)
        errands.route = broken
        with pytest.raises(KeyError):
            await errands.coordinator(client).react(message)
        outcome, _ = await errands.desk(client).say(stream, undo, request())
        assert outcome.events == ()
        errands.route = Errands(errands.tag).route
        await errands.coordinator(client).react(message)
        with pytest.raises(WordRefused, match=f"^saga-not-compensable: {stream} has ended$"):
            await errands.desk(client).say(stream, undo, request())
        with pytest.raises(UnknownInstance):
            await errands.desk(client).say(errands.stream(str(uuid4())), undo, request())

    tell(eventstore_uri, story)


def test_a_rule_and_what_it_calls_are_declared_together() -> None:
    with pytest.raises(ValueError, match="late messages are declared as 'record'"):
        Ending(DONE, late="record", on_late=on_late)
    with pytest.raises(ValueError, match="late messages are declared as 'answer'"):
        Ending(DONE, late="answer")


def test_an_end_is_at_some_of_the_saga_s_own_events() -> None:
    with pytest.raises(ValueError, match="an end is one of some events, and none is declared"):
        Ending({})
    for ending in (Ending[Any, Any]({Taken: "completed"}), Ending[Any, Any](DONE, begins_again=(Taken,))):
        with pytest.raises(ValueError, match=f"ends or begins again at {Taken.stored_name}, which is no event of it"):
            replace(Errands(new_tag(), build=that_ends).saga, ending=ending)


def test_whether_it_is_over_is_told_by_a_snapshot_and_none_is_used_that_does_not_tell() -> None:
    saga = replace(Errands(new_tag(), build=that_ends).saga, ending=Ending(DONE, begins_again=(ErrandBegun,)))
    rule = snapshot_rule(saga, (Errand,))
    begun, done = ErrandBegun(errand_id="e", shelves=()), ErrandDone(errand_id="e")
    for story, over in (([begun, done], "completed"), ([begun, done, begun], None)):
        instance = Instance(saga, f"{saga.category}-0")
        for number, event in enumerate(story):
            instance.append([event], UUID(int=number), UUID(int=1000 + number), number)
        snapshot = instance.snapshot()
        assert rule.fits(snapshot.state, snapshot.notes)
        restored = Instance(saga, instance.stream)
        restored.restore(snapshot)
        assert (instance.over, restored.over) == (over, over)
    assert not rule.fits(snapshot.state, {"causes": {}})
