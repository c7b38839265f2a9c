"""A pause: what comes meanwhile waits in order, also the answer to what is under way, and a resume takes all of it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest

from domain.engine_events import (
    SagaCallBegun,
    SagaDeadlinePassed,
    SagaMessageTaken,
    SagaPaused,
    SagaResumed,
    SagaStopped,
)
from domain.message import Event
from domain.saga import Ask
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import CommandIdReused
from infrastructure.sagas.errors import UnknownInstance, WordRefused
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.operator_words import OperatorWord, Pause, Resume, Retry
from infrastructure.sagas.run import now
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import broken, consuming, until_recorded, waiting_at
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    Errands,
    ThingFetched,
    hear,
    new_tag,
    request,
)
from tests.infrastructure.sagas.patient_errand import NOON, PATIENCE, WORD, PatientErrands
from tests.infrastructure.sagas.shelf import Stocked, Taken

Story = Callable[[CommandClient, Errands], Awaitable[None]]
PAUSE = Pause("the shelves are moved")
RESUME = Resume("they stand")


def tell(uri: str, story: Story) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            await story(client, Errands(new_tag()))

    asyncio.run(run())


async def begun(client: CommandClient, errands: Errands) -> tuple[Any, str]:
    """An errand whose only thing was not asked for yet; its message and its stream."""
    message = await errands.ask(client, await errands.stocked(client, 1))
    mended, errands.route = errands.route, broken
    with pytest.raises(KeyError):
        await errands.coordinator(client).react(message)
    errands.route = mended
    return message, errands.stream(message.event.errand_id)


def test_what_comes_meanwhile_waits_and_is_taken_in_order(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        message, stream = await begun(client, errands)
        [shelf_id] = message.event.shelves
        later = await errands.ask(client, [shelf_id], message.event.errand_id)
        desk, coordinator = errands.desk(client), errands.coordinator(client)
        await desk.say(stream, PAUSE, request())
        for each in (later, message, message):
            await coordinator.react(each)
            assert await coordinator.is_settled(each)
        stood: list[Event] = [SagaPaused(why=PAUSE.why), waiting_at(later), waiting_at(message)]
        assert (await errands.story(client, stream))[1:] == stood
        await desk.say(stream, RESUME, request())
        word = (await errands.recorded(client, stream))[-1]
        assert not await coordinator.is_settled(word)
        async with consuming(eventstore_uri, errands):
            await until_recorded(client, message, 8)
        took: list[Event] = [
            SagaResumed(why=RESUME.why),
            ThingFetched(shelf_id=shelf_id),
            SagaMessageTaken(message_id=str(message.id)),
            SagaMessageTaken(message_id=str(later.id)),
        ]
        assert (await errands.story(client, stream))[4:] == took

    tell(eventstore_uri, story)


def test_an_answer_that_comes_after_the_pause_is_heard_once_after_it(eventstore_uri: str) -> None:
    """The pause lands when the command was answered, and before the saga has stored that."""

    async def story(client: CommandClient, errands: Errands) -> None:
        message = await errands.ask(client, await errands.stocked(client, 2))
        [shelf_id], errand = message.event.shelves, message.event.errand_id
        stream = errands.stream(errand)
        interrupted = Errands(errands.tag, hear=beside(lambda: say_now(eventstore_uri, errands, stream, PAUSE)))
        await interrupted.coordinator(client).react(message)
        assert await errands.story(client, f"shelf-{shelf_id}") == [Stocked(number=2), Taken(errand_id=errand)]
        begun = ErrandBegun(errand_id=errand, shelves=(shelf_id,))
        assert await errands.story(client, stream) == [begun, SagaPaused(why=PAUSE.why), waiting_at(message)]
        await errands.desk(client).say(stream, RESUME, request())
        await errands.coordinator(client).react(message)
        assert (await errands.story(client, stream))[4:] == [
            ThingFetched(shelf_id=shelf_id),
            SagaMessageTaken(message_id=str(message.id)),
        ]
        assert await errands.story(client, f"shelf-{shelf_id}") == [Stocked(number=2), Taken(errand_id=errand)]

    tell(eventstore_uri, story)


def say_now(uri: str, errands: Errands, stream: str, word: OperatorWord) -> None:
    """From another process, as it were, while this one is held up."""

    async def say() -> None:
        async with connected(uri) as client:
            await Errands(errands.tag).desk(client).say(stream, word, request())

    aside = threading.Thread(target=asyncio.run, args=(say(),))
    aside.start()
    aside.join(30)
    assert not aside.is_alive()


def beside(act: Callable[[], None]) -> Callable[[Ask, Sequence[Event], Errand], list[ErrandEvent]]:
    """Does something once, when the first answer is heard."""
    acts = [act]

    def heard(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
        if acts:
            acts.pop()()
        return hear(ask, answer, errand)

    return heard


def test_what_fails_or_comes_again_waits_and_does_not_stop_it(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        message, stream = await begun(client, errands)
        coordinator = errands.coordinator(client)
        await errands.desk(client).say(stream, PAUSE, request())
        await coordinator.stop(message, "a bug")
        assert not await coordinator.attempt(message)
        await coordinator.attempted(message)
        assert (await errands.story(client, stream))[1:] == [SagaPaused(why=PAUSE.why), waiting_at(message)]

    tell(eventstore_uri, story)


@pytest.mark.parametrize(
    ("state", "word", "fault"),
    [
        ("runs", RESUME, "saga-not-resumable: {} is not paused"),
        ("runs", Retry("so"), "saga-not-retryable: {} has not stopped"),
        ("paused", PAUSE, "saga-not-pausable: {} stands still already"),
        ("paused", Retry("so"), "saga-not-retryable: {} has not stopped, it is paused: resume it"),
        ("stopped", PAUSE, "saga-not-pausable: {} stands still already"),
        ("stopped", RESUME, "saga-not-resumable: {} is not paused, it has stopped: retry it"),
        ("ended", PAUSE, "saga-not-pausable: {} has ended"),
        ("ended", RESUME, "saga-not-resumable: {} is not paused"),
        ("ended", Retry("so"), "saga-not-retryable: {} has not stopped"),
    ],
)
def test_a_state_that_forbids_a_word_refuses_it_by_name(
    eventstore_uri: str, state: str, word: OperatorWord, fault: str
) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        message, stream = await begun(client, errands)
        if state == "paused":
            await errands.desk(client).say(stream, PAUSE, request())
        if state == "stopped":
            await errands.coordinator(client).stop(message, "a bug")
        if state == "ended":
            await errands.coordinator(client).react(message)
        before = await errands.story(client, stream)
        with pytest.raises(WordRefused) as refused:
            await errands.desk(client).say(stream, word, request())
        assert str(refused.value) == fault.format(stream)
        assert await errands.story(client, stream) == before

    tell(eventstore_uri, story)


def test_a_word_said_twice_is_said_once(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands) -> None:
        _, stream = await begun(client, errands)
        desk, asked = errands.desk(client), request()
        first, _ = await desk.say(stream, PAUSE, asked)
        await desk.say(stream, RESUME, request())
        again, _ = await desk.say(stream, PAUSE, asked)
        told = [(outcome.events, outcome.version, outcome.position, outcome.last_id) for outcome in (first, again)]
        assert told == [((SagaPaused(why=PAUSE.why),), 1, first.position, first.last_id)] * 2
        assert (first.repeated, again.repeated) == (False, True)
        other = request(asked.command_id)
        with pytest.raises(CommandIdReused):
            await desk.say(stream, PAUSE, type(other)(**{**_members(other), "digest": "another"}))
        with pytest.raises(UnknownInstance):
            await desk.say(errands.stream(str(uuid4())), PAUSE, request())
        [begun_at, paused, resumed] = await errands.recorded(client, stream)
        assert (paused.metadata.actor, paused.metadata.command_id) == ("anonymous", asked.command_id)
        assert [type(each.event) for each in (begun_at, resumed)] == [ErrandBegun, SagaResumed]

    tell(eventstore_uri, story)


def _members(asked: Any) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in type(asked).__dataclass_fields__}


def folded(*events: Event) -> Instance[Errand]:
    instance = Instance(Errands(new_tag()).saga, "errand-0")
    for number, event in enumerate(events):
        own_id = uuid4()
        instance.append([event], own_id, own_id, number)
    return instance


def test_no_snapshot_is_taken_of_one_that_is_paused() -> None:
    begun = ErrandBegun(errand_id="0", shelves=("a",))
    assert not folded(begun, SagaPaused(why="so")).takes_snapshots
    assert folded(begun, SagaPaused(why="so"), SagaResumed(why="so")).takes_snapshots


def test_a_call_that_was_in_hand_at_the_pause_is_not_sent_again_by_the_resume() -> None:
    """That is what a retry says, of one that has stopped since nobody knows whether it was done."""
    begun = ErrandBegun(errand_id="0", shelves=("a",))
    sent = SagaCallBegun(step="take:a", unknown="stand", until=now())
    stopped = SagaStopped(stream="s", version=0, position=0, message_id="m", error="so")
    assert folded(begun, sent, SagaPaused(why="so"), SagaResumed(why="so")).sent == {"take:a": sent}
    assert folded(begun, sent, stopped, SagaResumed(why="so")).sent == {}


def test_a_deadline_passes_once_the_pause_is_over(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            errands = PatientErrands()
            message = await errands.ask(client, await errands.stocked(client, 1, 1))
            stream, coordinator = errands.stream(message.event.errand_id), errands.coordinator(client)
            await coordinator.react(message)
            await errands.desk(client).say(stream, PAUSE, request())
            errands.calendar.pass_by(PATIENCE)
            assert (await coordinator.first_deadline(stream), await coordinator.fire(stream)) == (None, 0)
            await errands.desk(client).say(stream, RESUME, request())
            assert await coordinator.fire(stream) == 1
            assert SagaDeadlinePassed(name=WORD, due=NOON + PATIENCE) in await errands.story(client, stream)

    asyncio.run(run())
