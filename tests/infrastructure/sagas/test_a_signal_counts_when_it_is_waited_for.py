"""A signal wakes an instance and counts once that waits for it: kept until then, or ignored where that is declared."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from uuid import uuid4

import pytest

from domain.engine_events import SagaSignalled, SagaSignalTaken
from domain.message import Event, Recorded
from domain.signal import Payload, Signal
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import CommandIdReused
from infrastructure.sagas.errors import UnknownInstance, UnknownSignal
from infrastructure.sagas.filters import pattern_of
from infrastructure.sagas.signal_box import SignalBox
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import broken, consuming, resume, until_recorded
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    ErrandExtended,
    Errands,
    ThingFetched,
    new_tag,
    request,
)
from tests.infrastructure.sagas.shelf import Stocked, Taken

Story = Callable[[CommandClient, Errands], Awaitable[None]]
SIGNALS = (Signal("extend"), Signal("hurry", early="ignore"))


def awaits(errand: Errand) -> Collection[str]:
    """It can be sent further once it has fetched all."""
    return () if errand.ahead else ("extend", "hurry")


def on_signal(name: str, payload: Payload, errand: Errand) -> list[ErrandEvent]:
    return [ErrandExtended(shelves=tuple(payload["shelves"]))]


def waiting(errands: Errands) -> Errands:
    """Whose saga waits for signals."""
    errands.saga = replace(errands.saga, signals=SIGNALS, awaits=awaits, on_signal=on_signal)
    return errands


def box(client: CommandClient, errands: Errands) -> SignalBox:
    return SignalBox(errands.saga, errands.coordinator(client).streams, errands.codec)


def tell(uri: str, story: Story) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            await story(client, waiting(Errands(new_tag())))

    asyncio.run(run())


async def signals_of(errands: Errands, client: CommandClient, stream: str) -> list[Recorded[SagaSignalled]]:
    return [each for each in await errands.recorded(client, stream) if isinstance(each.event, SagaSignalled)]


def test_a_signal_that_is_waited_for_is_taken_by_a_consumer_once(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        first, second = await errands.stocked(client, 2, 2)
        message = await errands.ask(client, [first])
        errand = message.event.errand_id
        stream = errands.stream(errand)
        asked = request()
        async with consuming(eventstore_uri, errands):
            await until_recorded(client, message, 2)
            sent = await box(client, errands).send(stream, "extend", {"shelves": [second]}, asked)
            assert not sent.repeated
            await until_recorded(client, message, 6)
        again = await box(client, errands).send(stream, "extend", {"shelves": [second]}, asked)
        assert again == replace(sent, repeated=True)
        [signal] = await signals_of(errands, client, stream)
        await errands.coordinator(client).react(signal)
        assert await errands.story(client, stream) == [
            ErrandBegun(errand_id=errand, shelves=(first,)),
            ThingFetched(shelf_id=first),
            SagaSignalled(name="extend", payload={"shelves": [second]}),
            ErrandExtended(shelves=(second,)),
            SagaSignalTaken(signal_id=str(signal.id)),
            ThingFetched(shelf_id=second),
        ]
        extended = (await errands.recorded(client, stream))[3]
        assert extended.metadata.causation_id == signal.id
        assert await errands.story(client, f"shelf-{second}") == [Stocked(number=2), Taken(errand_id=errand)]

    tell(eventstore_uri, story)


@pytest.mark.parametrize(("name", "counts"), [("extend", True), ("hurry", False)])
def test_one_that_comes_early_is_kept_or_ignored_as_declared(eventstore_uri: str, name: str, counts: bool) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        first, second = await errands.stocked(client, 2, 2)
        message = await errands.ask(client, [first])
        stream = errands.stream(message.event.errand_id)
        errands.route = broken
        with pytest.raises(KeyError):
            await errands.coordinator(client).react(message)
        await box(client, errands).send(stream, name, {"shelves": [second]}, request())
        [signal] = await signals_of(errands, client, stream)
        errands.route = Errands(errands.tag).route
        assert not await errands.coordinator(client).is_settled(signal)
        await errands.coordinator(client).react(signal)
        assert await errands.coordinator(client).is_settled(signal)
        told = (await errands.story(client, stream))[2:]
        taken: list[Event] = [ErrandExtended(shelves=(second,)), SagaSignalTaken(signal_id=str(signal.id))]
        then: list[Event] = [*taken, ThingFetched(shelf_id=second)] if counts else []
        assert told == [ThingFetched(shelf_id=first), *then]

    tell(eventstore_uri, story)


def test_an_instance_that_stands_still_takes_it_once_it_goes_on(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        first, second = await errands.stocked(client, 2, 2)
        message = await errands.ask(client, [first])
        stream = errands.stream(message.event.errand_id)
        await errands.coordinator(client).react(message)
        later = await errands.ask(client, [first], message.event.errand_id)
        await errands.coordinator(client).stop(later, "a bug")
        await box(client, errands).send(stream, "extend", {"shelves": [second]}, request())
        [signal] = await signals_of(errands, client, stream)
        await errands.coordinator(client).react(signal)
        assert len(await errands.recorded(client, stream)) == 4
        await resume(client, errands, message.event.errand_id)
        await errands.coordinator(client).react(signal)
        told = await errands.story(client, stream)
        assert [type(event).__name__ for event in told[4:]] == [
            "SagaResumed",
            "ErrandExtended",
            "SagaSignalTaken",
            "ThingFetched",
            "SagaMessageTaken",
        ]

    tell(eventstore_uri, story)


def test_what_can_not_be_meant_is_refused(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        message = await errands.ask(client, await errands.stocked(client, 1))
        stream, asked = errands.stream(message.event.errand_id), request()
        await errands.coordinator(client).react(message)
        sent = box(client, errands)
        with pytest.raises(UnknownSignal, match="knows no signal 'stop'; there is extend, hurry"):
            await sent.send(stream, "stop", {}, request())
        with pytest.raises(UnknownInstance):
            await sent.send(errands.stream(str(uuid4())), "extend", {}, request())
        assert not (await sent.send(stream, "hurry", {"shelves": []}, asked)).repeated
        with pytest.raises(CommandIdReused):
            await sent.send(stream, "hurry", {"shelves": []}, replace(asked, digest="another"))

    tell(eventstore_uri, story)


def test_a_saga_that_waits_for_none_keeps_its_filter() -> None:
    errands = Errands(new_tag())
    before = errands.pattern
    assert "SagaSignalled" not in before
    assert pattern_of(waiting(errands).saga) == before.replace("SagaResumed", "SagaResumed|SagaSignalled")
