"""What is open in a store shows whether a build lacks a version or decides otherwise, at each prefix of its history."""

import asyncio
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import pytest

from domain.decider import Decider
from domain.fulfilment.events import FulfilmentAbandoned
from domain.fulfilment.saga import first as fulfilment
from domain.fulfilment.saga import saga as second
from domain.message import Command, Event, Recorded
from domain.saga import Ask, Saga
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.operator_words import Migrate
from infrastructure.sagas.release_check import ReleaseCheck
from infrastructure.sagas.replay import Finding
from service.consumers import route
from service.history.sources import CODEC
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.sagas.errand import Errand, ErrandExtended, Errands, ThingMissing, hear, new_tag, request
from tests.infrastructure.sagas.errand_builds import BUILDS
from tests.infrastructure.sagas.open_orders import TOLD, open_orders
from tests.infrastructure.sagas.shelf import PutBack
from tests.infrastructure.sagas.test_versions_of_a_saga_run_side_by_side import Crash, deaf

BEFORE_CHARGE, CHARGED = (f"fulfilment-{order}" for order in TOLD["open"][:2])
"""Both have secured two SKUs; of the second the account was charged, and it has not heard of it."""


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with open_orders(tmp_path_factory.mktemp("orders")) as uri:
        yield uri


async def findings(
    client: CommandClient, saga: Saga[Any, Any], route: Callable[[Command], Decider[Any, Any, Any]], codec: EventCodec
) -> list[Finding]:
    streams = Streams(client, codec)
    check = ReleaseCheck(saga, route, streams, Log(client), codec)
    found = [finding async for page in check.findings() for finding in page]
    await streams.close()
    return found


def _asks(state: Any) -> list[Ask]:
    return [ask for ask in fulfilment.pending(state) if isinstance(ask, Ask)]


def _renamed(state: Any) -> list[Ask]:
    return [replace(ask, step=ask.step.replace("charge", "pay")) for ask in _asks(state)]


def _more(state: Any) -> list[Ask]:
    """Reserves one more of each."""
    return [
        replace(ask, command=ask.command.model_copy(update={"quantity": 2})) if "reserve" in ask.step else ask
        for ask in _asks(state)
    ]


def _undoing(ask: Ask, reply: Sequence[Event], state: Any) -> list[Any]:
    return [FulfilmentAbandoned(order_id=state.order.order_id, reason="so it is")]


def _charging_first(state: Any) -> list[Ask]:
    """Reserves nothing."""
    return [ask for ask in _asks(state) if "reserve" not in ask.step]


def _broken(state: Any) -> list[Ask]:
    raise KeyError("sku")


ALL: Final = (*(f"fulfilment-{order}" for order in TOLD["ended"]), BEFORE_CHARGE, CHARGED)
BOTH: Final = (BEFORE_CHARGE, CHARGED)
OTHERS: Final[dict[str, tuple[dict[str, Any], set[tuple[str, int, str]]]]] = {
    "nothing": ({}, set()),
    "a version beside the first": ({"version": 2, "pending": second.pending, "former": (fulfilment,)}, set()),
    "a step that was sent": ({"pending": _renamed}, {(CHARGED, 3, "command")}),
    "commands": ({"pending": _more}, {(each, prefix, "command") for each in BOTH for prefix in (1, 2)}),
    "which commands": ({"pending": _charging_first}, {(each, prefix, "command") for each in BOTH for prefix in (1, 2)}),
    "what an answer means": ({"on_reply": _undoing}, {(each, prefix, "facts") for each in BOTH for prefix in (1, 2)}),
    "what a message means": ({"observe": lambda event, state: []}, {(each, 0, "facts") for each in BOTH}),
    "whom a message concerns": ({"identify": lambda event: "0"}, {(each, 0, "facts") for each in BOTH}),
    "the version": ({"version": 2}, {(each, 3, "version") for each in BOTH}),
    "code that fails": ({"pending": _broken}, {(each, 0, "command") for each in ALL}),
}


@pytest.mark.parametrize("what", OTHERS)
def test_it_is_told_where_a_build_decides_otherwise(orders: str, what: str) -> None:
    changes, expected = OTHERS[what]

    async def run() -> None:
        async with connected(orders) as client:
            found = await findings(client, replace(fulfilment, **changes), route, CODEC)
            assert {(each.instance, each.prefix, each.what) for each in found} == expected
            assert len(found) == len(expected)

    asyncio.run(run())


def test_it_says_what_the_history_shows_and_what_this_build_would_do(orders: str) -> None:
    async def run() -> None:
        async with connected(orders) as client:
            [renamed] = await findings(client, replace(fulfilment, pending=_renamed), route, CODEC)
            assert renamed.recorded.startswith(f"AccountCharged in account-{TOLD['account']} by command ")
            assert renamed.today.startswith("pending: pay (ChargeAccount ")
            [first, _] = await findings(client, replace(fulfilment, version=2), route, CODEC)
            assert (first.recorded, first.today) == ("runs on version 1", "this build has version 2")

    asyncio.run(run())


async def _begun(client: CommandClient, errands: Errands, build: str) -> Recorded[Any]:
    """An errand that a build began and whose first answer it did not store."""
    message = await errands.ask(client, await errands.stocked(client, 1, 1))
    with pytest.raises(Crash):
        await Errands(errands.tag, build=BUILDS[build], hear=deaf).coordinator(client).react(message)
    return message


@pytest.mark.parametrize(
    ("began", "build", "lacking"),
    [
        ("first", "first and second", None),
        ("first and second", "first and second", None),
        ("changed", "changed", None),
        ("first and second", "all three", None),
        ("first", "second alone", "runs on version 1"),
        ("first and second", "first", "runs on version 2"),
        ("changed", "first", "runs on the change 'brings-back'"),
    ],
)
def test_a_build_needs_the_code_that_open_instances_run_on(
    eventstore_uri: str, began: str, build: str, lacking: str | None
) -> None:
    async def run() -> None:
        errands = Errands(new_tag(), build=BUILDS[build])
        async with connected(eventstore_uri) as client:
            await _begun(client, errands, began)
            found = await findings(client, errands.saga, errands.route, errands.codec)
            assert [(each.what, each.recorded) for each in found] == ([("version", lacking)] if lacking else [])

    asyncio.run(run())


def test_what_has_ended_needs_no_version(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag(), build=BUILDS["first and second"])
        async with connected(eventstore_uri) as client:
            message = await errands.ask(client, await errands.stocked(client, 1))
            await errands.coordinator(client).react(message)
            later = Errands(errands.tag)
            assert await findings(client, later.saga, later.route, later.codec) == []

    asyncio.run(run())


def test_one_that_was_migrated_is_decided_by_each_version_in_its_part(eventstore_uri: str) -> None:
    """What was pending is kept, so the answer to what the first version asked is one to what the second asks."""

    async def run() -> None:
        errands = Errands(new_tag(), build=BUILDS["first and second"])
        async with connected(eventstore_uri) as client:
            message = await errands.ask(client, await errands.stocked(client, 1, 1))
            with pytest.raises(Crash):
                await Errands(errands.tag, hear=deaf).coordinator(client).react(message)
            stream = errands.stream(message.event.errand_id)
            await errands.desk(client).say(stream, Migrate("so it is", 2), request())
            with pytest.raises(Crash):
                await (
                    Errands(errands.tag, build=BUILDS["first and second"], hear=_once())
                    .coordinator(client)
                    .react(message)
                )
            assert await findings(client, errands.saga, errands.route, errands.codec) == []
            alone = Errands(errands.tag, build=BUILDS["second alone"])
            assert await findings(client, alone.saga, alone.route, alone.codec) == []

    asyncio.run(run())


def _once() -> Callable[[Ask, Sequence[Event], Errand], list[Any]]:
    """Hears one answer, and ends the worker at the next."""
    left = [1]

    def heard(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[Any]:
        if not left:
            raise Crash
        left.pop()
        return hear(ask, answer, errand)

    return heard


def test_answers_of_one_round_are_judged_by_what_was_pending_before_it(eventstore_uri: str) -> None:
    """Both declines were heard at once, though after the first of them the other step is not pending any more."""

    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            message = await errands.ask(client, await errands.stocked(client, 1, 0, 0))
            with pytest.raises(Crash):
                await Errands(errands.tag, hear=_without_returns).coordinator(client).react(message)
            stream = errands.stream(message.event.errand_id)
            missing = [each for each in await errands.story(client, stream) if isinstance(each, ThingMissing)]
            assert len(missing) == 2
            assert await findings(client, errands.saga, errands.route, errands.codec) == []

    asyncio.run(run())


def _without_returns(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[Any]:
    if isinstance(answer[0], PutBack):
        raise Crash
    return hear(ask, answer, errand)


def test_a_history_that_can_not_be_read_is_told(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            with operating(eventstore_uri) as operator:
                operator.append(errands.stream("0"), NewRecord("ErrandMelted", b"{}", b"{}"))
            [found] = await findings(client, errands.saga, errands.route, errands.codec)
            assert (found.instance, found.prefix, found.what) == (errands.stream("0"), 0, "unreadable")

    asyncio.run(run())


@pytest.mark.parametrize(("caused_by_its_own", "told"), [(True, []), (False, ["command"])])
def test_what_the_instance_s_own_event_led_to_needs_no_message(
    eventstore_uri: str, caused_by_its_own: bool, told: list[str]
) -> None:
    """As a deadline that has passed does; what no known event led to, this build would not have stored."""

    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            message = await _begun(client, errands, "first")
            stream = errands.stream(message.event.errand_id)
            [begun] = await errands.recorded(client, stream)
            cause = begun.id if caused_by_its_own else uuid4()
            fact = ErrandExtended(shelves=tuple(await errands.stocked(client, 1)))
            metadata = replace(request(), causation_id=cause).metadata(fact)
            streams = errands.coordinator(client).streams
            await streams.append(stream, begun.version, [errands.codec.encode(fact, metadata)])
            found = await findings(client, errands.saga, errands.route, errands.codec)
            assert [(each.what, each.prefix) for each in found] == [(what, 1) for what in told]

    asyncio.run(run())


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_many_open_histories_take_no_more_memory_than_a_few(eventstore_uri: str) -> None:
    """A page of names, the instances in hand, and for each open one the id of a message: some hundreds of bytes."""

    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            [shelf_id] = await errands.stocked(client, 1)
            coordinator = Errands(errands.tag, hear=deaf).coordinator(client)
            for _ in range(2_000):
                with pytest.raises(Crash):
                    await coordinator.react(await errands.ask(client, [shelf_id]))
            tracemalloc.start()
            try:
                assert await findings(client, errands.saga, errands.route, errands.codec) == []
                assert tracemalloc.get_traced_memory()[1] < 16_000_000
            finally:
                tracemalloc.stop()

    asyncio.run(run())
