"""A timeline: of each event what it tells, and after which event each step was asked for."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Never
from uuid import UUID

from domain.booking.events import AirlineAwaited, PartSecured
from domain.engine_events import (
    SagaCallBegun,
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaMigrated,
    SagaPaused,
    SagaSignalled,
    SagaStopped,
    SagaUndoTaken,
    SagaVersionSet,
)
from domain.message import Event, Recorded
from domain.money import Money
from domain.saga import Saga
from domain.saga_steps import Outcome, Step
from infrastructure.sagas.timeline import Moment, Timeline, described
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandExtended,
    Errands,
    ThingFetched,
    ThingMissing,
    ThingReturned,
)
from tests.infrastructure.sagas.shelf import PutBack, Return, Take, Taken, TakingDeclined
from tests.support.log import at, recorded

STEPS: Final = (
    Step(
        "take",
        Take,
        {Taken: Outcome(ThingFetched, ("take", "end")), TakingDeclined: Outcome(ThingMissing, ("return",))},
        undo="return",
    ),
    Step("return", Return, {PutBack: Outcome(ThingReturned, ("return", "end"))}),
)
SAGA: Final = replace(Errands("timeline").saga, steps=STEPS)
BEGUN: Final = ErrandBegun(errand_id="0", shelves=("a", "b"))
ENGINE: Final = "saga:errand_timeline"


def log(*commands: tuple[str, list[Event]]) -> list[Recorded[Any]]:
    """The events of an instance's stream: of each command those that it made, and who sent it."""
    events = recorded(SAGA.category, [("0", event) for _, made in commands for event in made])
    sent = [(UUID(int=number), actor) for number, (actor, made) in enumerate(commands) for _ in made]
    return [
        replace(each, metadata_or_read=each.metadata.model_copy(update={"command_id": command, "actor": actor}))
        for each, (command, actor) in zip(events, sent, strict=True)
    ]


def told(*commands: list[Event], saga: Saga[Errand, Any] = SAGA, by: str = ENGINE) -> list[tuple[str, str | None, str]]:
    """Kind, step, and the first word of the detail of each moment."""
    moments = Timeline(saga, saga.initial, 1).through(log(*((by, made) for made in commands)))
    return [(each.kind, each.step, each.detail.partition(" ")[0]) for each in moments]


def test_a_moment_is_that_of_its_event_and_what_is_asked_that_of_the_event_before() -> None:
    begun, fetched = log((ENGINE, [BEGUN]), (ENGINE, [ThingFetched(shelf_id="a")]))
    assert list(Timeline(SAGA, Errand(), 1).through([begun, fetched])) == [
        Moment(at(0), "observed", None, 'ErrandBegun shelves=["a", "b"]', ENGINE, begun.id),
        Moment(at(0), "asked", "take:a", "Take", ENGINE, begun.id),
        Moment(at(0), "asked", "take:b", "Take", ENGINE, begun.id),
        Moment(at(1), "answered", "take:a", "ErrandThingFetched shelf_id=a", ENGINE, fetched.id),
    ]


def test_what_takes_an_effect_back_is_undone() -> None:
    undone = told([BEGUN], [ThingFetched(shelf_id="a")], [ThingMissing(shelf_id="b")], [ThingReturned(shelf_id="a")])
    assert undone[4:] == [
        ("answered", "take:b", "ErrandThingMissing"),
        ("asked", "return:a", "Return"),
        ("undone", "return:a", "ErrandThingReturned"),
    ]


def test_what_an_answer_made_pending_that_is_undone_at_once_was_not_asked() -> None:
    undone = told([BEGUN], [ErrandExtended(shelves=("c",))], [ThingMissing(shelf_id="c"), SagaUndoTaken(order_id="0")])
    assert ("asked", "take:c", "Take") not in undone
    assert ("asked", "take:c", "Take") in told([BEGUN], [ErrandExtended(shelves=("c",))], [ThingMissing(shelf_id="c")])


def test_an_instance_of_a_former_version_is_told_by_the_table_of_that() -> None:
    renamed = Step("take", Take, {Taken: Outcome(ErrandExtended, ("take", "end"))})
    newer = replace(SAGA, version=2, steps=(renamed, STEPS[1]), former=(SAGA,))
    assert told([BEGUN], [ThingFetched(shelf_id="a")], saga=newer)[3:] == [("answered", "take:a", "ErrandThingFetched")]


def test_what_is_pending_between_facts_of_one_command_alone_was_not_asked() -> None:
    both: list[Event] = [ErrandExtended(shelves=("c",)), ThingFetched(shelf_id="c")]
    assert told([BEGUN], both)[3:] == [
        ("observed", None, "ErrandExtended"),
        ("answered", "take:c", "ErrandThingFetched"),
    ]


def test_facts_that_follow_from_a_deadline_are_told_with_it() -> None:
    passed = SagaDeadlinePassed(name="word", due=at(0))
    extended, ended = ErrandExtended(shelves=("c",)), SagaDeadlineEnded(name="other")
    assert told([BEGUN], [passed, extended], [ended])[3:] == [
        ("deadline", "word", "SagaDeadlinePassed"),
        ("deadline", "word", "ErrandExtended"),
        ("asked", "take:c", "Take"),
        ("deadline", "other", "SagaDeadlineEnded"),
    ]


def test_what_the_engine_notes_is_observed_and_what_others_say_is_theirs() -> None:
    stopped = SagaStopped(stream="s-0", version=1, position=2, message_id="m", error="a bug")
    begun = SagaCallBegun(step="pay", unknown="stand", until=at(0) + timedelta(seconds=9))
    assert told([stopped], [begun]) == [("observed", None, "SagaStopped"), ("asked", "pay", "SagaCallBegun")]
    words: list[Event] = [SagaPaused(why="a strike"), SagaSignalled(name="word", payload={})]
    assert told(words, by="cli:ada") == [("operator", None, "SagaPaused"), ("operator", None, "SagaSignalled")]


def test_each_is_told_by_the_version_that_it_runs_on() -> None:
    second = replace(
        SAGA,
        version=2,
        pending=lambda errand: [replace(ask, step=f"second-{ask.step}") for ask in SAGA.pending(errand)],
        former=(SAGA,),
    )
    one = ErrandBegun(errand_id="0", shelves=("a",))
    began = told([SagaVersionSet(version=2), one], saga=second)
    assert began[2:] == [("asked", "second-take:a", "Take")]
    moved = told([one], [SagaMigrated(version=2, why="", kept=())], saga=second)
    assert moved[3:] == [("asked", "second-take:a", "Take")]


def test_where_its_code_fails_or_is_not_there_all_but_what_was_asked_is_told() -> None:
    def broken(*_: Any) -> Never:
        raise KeyError("shelf")

    for saga in (replace(SAGA, pending=broken), replace(SAGA, evolve=broken)):
        assert told([BEGUN], [ThingFetched(shelf_id="a")], saga=saga) == [
            ("observed", None, "ErrandBegun"),
            ("observed", None, "ErrandThingFetched"),
        ]
    assert told([SagaVersionSet(version=9), BEGUN])[1:] == [("observed", None, "ErrandBegun")]


def test_a_detail_has_values_as_json_has_them() -> None:
    price = Money(amount=Decimal("40.00"), currency="EUR")
    secured = described(PartSecured(trip_id="0", part="car", day=date(2027, 7, 1), price=price), "0")
    assert secured == 'PartSecured part=car, day=2027-07-01, price={"amount": "40.00", "currency": "EUR"}'
    due = SagaDeadlineSet(name="word", due=datetime(2027, 7, 1, 9, 30, tzinfo=UTC))
    assert described(due, "0") == "SagaDeadlineSet name=word, due=2027-07-01T09:30:00Z"
    assert described(AirlineAwaited(trip_id="0", word=None), "0") == "AirlineAwaited"


def test_a_long_detail_is_cut() -> None:
    said = described(SagaPaused(why="x" * 600), "0")
    assert (len(said), said[:16], said[-2:]) == (500, "SagaPaused why=x", "x…")
