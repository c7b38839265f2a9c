"""All that is pending is asked for together, and the answers are stored together, in the order of the asks."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

import pytest

from domain.decider import Decider
from domain.message import Command, Event
from domain.saga import Ask
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Request
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.errors import SagaStuck
from infrastructure.sagas.round import Answer, Failure, Reply, Round, round_of
from infrastructure.sagas.run import Run
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    ErrandExtended,
    Errands,
    ThingFetched,
    ThingMissing,
    ThingReturned,
    hear,
    new_tag,
)
from tests.infrastructure.sagas.shelf import PutBack, Return, Stocked, Take, Taken, TakingDeclined, shelf

CAUSE = UUID(int=7)
BEGUN = Errand("e", ("a", "b", "c"), ("a", "b", "c"))
AWAY = RuntimeError("away")
GONE = RuntimeError("gone")


def ask(shelf_id: str) -> Ask:
    return Ask(f"take:{shelf_id}", Take(shelf_id=shelf_id, errand_id="e"))


def answer(shelf_id: str, reply: Event) -> Answer:
    return Answer(ask(shelf_id), [reply], CAUSE)


def taken(shelf_id: str) -> Answer:
    return answer(shelf_id, Taken(errand_id="e"))


def declined(shelf_id: str) -> Answer:
    return answer(shelf_id, TakingDeclined(errand_id="e"))


def heard(*replies: Reply, errands: Errands | None = None) -> Round:
    return round_of((errands or Errands(new_tag())).saga, "errand-e", BEGUN, replies)


def test_each_answer_is_heard_in_the_state_after_those_before_it() -> None:
    states = list[Errand]()

    def listening(ask: Ask, reply: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
        states.append(errand)
        return hear(ask, reply, errand)

    replies = [taken("a"), declined("b"), taken("c")]
    facts: list[list[ErrandEvent]] = [
        [ThingFetched(shelf_id="a")],
        [ThingMissing(shelf_id="b")],
        [ThingFetched(shelf_id="c")],
    ]
    assert heard(*replies, errands=Errands(new_tag(), hear=listening)) == Round(
        tuple(zip(replies, facts, strict=True)), None
    )
    assert [state.held for state in states] == [(), ("a",), ("a",)]


def test_of_a_round_that_fails_in_part_the_answers_are_stored_and_the_first_failure_is_raised() -> None:
    told = heard(taken("a"), Failure(ask("b"), AWAY), Failure(ask("c"), GONE))
    assert told == Round(((taken("a"), [ThingFetched(shelf_id="a")]),), AWAY)


def test_an_answer_that_can_not_be_heard_is_a_failure_like_any_other() -> None:
    def deaf(ask: Ask, reply: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
        if ask.step == "take:a":
            raise GONE
        return hear(ask, reply, errand)

    told = heard(taken("a"), taken("b"), Failure(ask("c"), AWAY), errands=Errands(new_tag(), hear=deaf))
    assert told == Round(((taken("b"), [ThingFetched(shelf_id="b")]),), GONE)


def test_what_would_end_a_step_that_may_have_taken_effect_is_kept_back() -> None:
    """The decline has all undone: nobody would hear any more whether the thing was taken from the third shelf."""
    told = heard(taken("a"), declined("b"), Failure(ask("c"), AWAY))
    assert told == Round(((taken("a"), [ThingFetched(shelf_id="a")]),), AWAY)


def test_what_can_not_be_heard_keeps_back_what_came_before_it() -> None:
    def deaf(ask: Ask, reply: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
        if ask.step == "take:c":
            raise GONE
        return hear(ask, reply, errand)

    assert heard(declined("a"), taken("c"), errands=Errands(new_tag(), hear=deaf)) == Round((), GONE)


def test_a_step_that_its_answer_leaves_pending_is_named_and_the_others_are_told() -> None:
    def saying_nothing(ask: Ask, reply: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
        return [] if ask.step == "take:b" else hear(ask, reply, errand)

    told = heard(taken("a"), taken("b"), taken("c"), errands=Errands(new_tag(), hear=saying_nothing))
    facts = [ThingFetched(shelf_id="a")], [ThingFetched(shelf_id="c")]
    assert told.told == tuple(zip([taken("a"), taken("c")], facts, strict=True))
    assert isinstance(told.failure, SagaStuck)
    assert (told.failure.stream, told.failure.step) == ("errand-e", "take:b")


def test_a_step_that_another_answer_makes_pending_anew_is_not_stuck() -> None:
    def asking_again(ask: Ask, reply: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
        again: list[ErrandEvent] = [ErrandExtended(shelves=("a",))] if ask.step == "take:b" else []
        return [*hear(ask, reply, errand), *again]

    told = heard(taken("a"), taken("b"), errands=Errands(new_tag(), hear=asking_again))
    facts: list[list[ErrandEvent]] = [
        [ThingFetched(shelf_id="a")],
        [ThingFetched(shelf_id="b"), ErrandExtended(shelves=("a",))],
    ]
    assert told == Round(tuple(zip([taken("a"), taken("b")], facts, strict=True)), None)


class Observed(SagaCoordinator):
    """Remembers how many facts each of its appends had."""

    def __init__(self, errands: Errands, client: CommandClient) -> None:
        super().__init__(errands.saga, errands.route, CommandHandler(client, errands.codec), errands.codec)
        self.appended: list[int] = []

    async def _store(self, run: Run, *told: tuple[Request, Sequence[Event]]) -> None:
        await super()._store(run, *told)
        if number := sum(len(facts) for _, facts in told):
            self.appended.append(number)


def test_a_round_is_one_append_and_its_facts_name_their_causes(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, *[1] * 40)
            message = await errands.ask(client, shelves)
            coordinator = Observed(errands, client)
            await coordinator.react(message)
            assert coordinator.appended == [1, 40]
            begun, *fetched = await errands.recorded(client, errands.stream(message.event.errand_id))
            assert [each.event for each in fetched] == [ThingFetched(shelf_id=shelf_id) for shelf_id in shelves]
            taken = [(await errands.recorded(client, f"shelf-{shelf_id}"))[-1] for shelf_id in shelves]
            assert [each.metadata.causation_id for each in fetched] == [each.id for each in taken]
            assert [each.metadata.command_id for each in taken] == [
                uuid5(begun.id, f"take:{shelf_id}") for shelf_id in shelves
            ]

    asyncio.run(run())


class Broken(Exception):
    """What a bug raises."""


@pytest.mark.parametrize("broken", [Take, Return])
def test_a_round_that_failed_in_part_is_finished_by_the_next_with_each_effect_once(
    eventstore_uri: str, broken: type[Command]
) -> None:
    """One command of each kind is not understood at first: a decline beside it is kept back, another return is not."""

    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            first, second, empty = await errands.stocked(client, 1, 1, 0)

            def failing(command: Command) -> Decider[Any, Any, Any]:
                if type(command) is broken and command.aggregate_id == second:
                    raise Broken
                return shelf

            message = await errands.ask(client, [first, second, empty])
            errand = message.event.errand_id
            with pytest.raises(Broken):
                await Errands(errands.tag, route=failing).coordinator(client).react(message)
            stored = await errands.story(client, errands.stream(errand))
            await errands.coordinator(client).react(message)
            told = await errands.story(client, errands.stream(errand))
            assert stored == told[: len(stored)]
            fetched: list[Event] = [ThingFetched(shelf_id=first), ThingFetched(shelf_id=second)]
            missing = ThingMissing(shelf_id=empty)
            back: list[Event] = [ThingReturned(shelf_id=second), ThingReturned(shelf_id=first)]
            begun = ErrandBegun(errand_id=errand, shelves=(first, second, empty))
            if broken is Take:
                assert (len(stored), told) == (2, [begun, *fetched, missing, *back])
            else:
                assert (len(stored), told) == (5, [begun, *fetched, missing, *reversed(back)])
            for shelf_id in (first, second):
                shelved = await errands.story(client, f"shelf-{shelf_id}")
                assert shelved == [Stocked(number=1), Taken(errand_id=errand), PutBack(errand_id=errand)]

    asyncio.run(run())
