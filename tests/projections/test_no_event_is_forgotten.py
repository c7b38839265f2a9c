"""Of every event somebody has said what read models do with it, be it nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, Final

import pytest

from domain.engine_events import ENGINE_EVENTS
from domain.message import Event, stored_as
from projections import orders_by_status
from projections.projection import Projection
from service.consumers import DECIDERS, EVENTS, PROJECTIONS, SAGAS, TIMERS

WRITTEN_OUT: Final = [projection for projection in PROJECTIONS if projection not in TIMERS]

SOURCES: Final[Mapping[str, frozenset[type[Event]]]] = {
    **{decider.category: frozenset(decider.events) for decider in DECIDERS},
    **{saga.category: frozenset((*saga.events, *ENGINE_EVENTS)) for saga in SAGAS},
}
SHOWN_NOWHERE: Final = """
    CarsIntroduced RoomsIntroduced SeatsIntroduced
    FulfilmentStarted GoodsSecured GoodsMissing PaymentTaken PaymentWaived PaymentFailed DispatchAgreed
    DispatchForbidden GoodsHandedOver FulfilmentCompleted PaymentReturned GoodsReturned FulfilmentAbandoned
    FulfilmentRecalled SagaCancelRequested SagaPaused SagaStepSkipped SagaUndoOrdered SagaUndoTaken
    SagaCallBegun SagaDeadlineEnded SagaDeadlinePassed SagaDeadlineSet SagaMarked SagaMessageLate
    SagaMessageAttempted SagaMessageParked SagaMessageTaken SagaMessageWaiting SagaMigrated SagaResumed SagaStopped
    SagaSignalled SagaSignalTaken SagaVersionSet
"""
"""Offers are shown once they have a price. Sagas without deadlines are looked at by `foldstream history`."""
of_each: Final = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)

CREATING: Final = frozenset(
    {"OrderCreated", "SkuRegistered", "AccountOpened", "CarsOffered", "RoomsOffered", "SeatsOffered", "TripRequested"}
)


def shown_nowhere(events: Iterable[type[Event]], projections: Iterable[Projection[Any]]) -> set[str]:
    """The names of those that no read model handles."""
    handled = {event for projection in projections for event in projection.handlers}
    return {event.stored_name for event in events if event not in handled}


def unsaid(projection: Projection[Any], events: Iterable[type[Event]]) -> set[str]:
    """The names of those of which it says nothing, or two things, and of those that are not of its category."""
    said = [*projection.handlers, *projection.ignored]
    return {event.stored_name for event in (*events, *said) if said.count(event) != 1 or event not in events}


def test_what_no_read_model_handles_is_named() -> None:
    assert shown_nowhere(EVENTS, PROJECTIONS) == set(SHOWN_NOWHERE.split())


@of_each
def test_what_is_handled_and_what_is_ignored_is_all_there_is(projection: Projection[Any]) -> None:
    assert unsaid(projection, SOURCES[projection.category]) == set()


@stored_as(name="OrderGiftWrapped", version=1)
class Wrapped(Event):
    order_id: str


def test_a_new_event_is_found_that_nobody_has_said_anything_of() -> None:
    own = orders_by_status.projection
    assert unsaid(own, SOURCES["order"] | {Wrapped}) == {"OrderGiftWrapped"}
    assert unsaid(replace(own, ignored=own.ignored | {Wrapped}), SOURCES["order"]) == {"OrderGiftWrapped"}
    assert unsaid(replace(own, ignored=own.ignored | own.handlers.keys()), SOURCES["order"]) == {
        event.stored_name for event in own.handlers
    }
    assert shown_nowhere([*SOURCES["order"], Wrapped], PROJECTIONS) == {"OrderGiftWrapped"}


def test_each_projection_is_named_after_its_module() -> None:
    modules = [import_module(f"projections.{projection.name}") for projection in WRITTEN_OUT]
    assert [module.projection for module in modules] == WRITTEN_OUT


@of_each
def test_only_the_creating_event_or_the_confirmation_begins_a_row(projection: Projection[Any]) -> None:
    handled = {event.stored_name for event in projection.handlers}
    creating = handled & CREATING or {"OrderConfirmed"}
    others = [handler for event, handler in projection.handlers.items() if event.stored_name not in creating]
    assert [handler(None, None) for handler in others] == [None] * len(others)
