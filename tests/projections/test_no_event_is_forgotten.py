"""Each projection says of every event of its category what it does with it, be it nothing."""

from importlib import import_module
from typing import Any, Final

import pytest

from domain.decider import Decider
from projections.projection import Projection
from service.consumers import DECIDERS, PROJECTIONS, TIMERS

WRITTEN_OUT: Final = [projection for projection in PROJECTIONS if projection not in TIMERS]
PAIRS: Final[list[tuple[Projection[Any], Decider[Any, Any, Any]]]] = [
    (projection, decider)
    for projection in WRITTEN_OUT
    for decider in DECIDERS
    if decider.category == projection.category
]


def test_each_projection_reads_the_events_of_one_decider() -> None:
    assert [projection for projection, _ in PAIRS] == WRITTEN_OUT


@pytest.mark.parametrize(("projection", "decider"), PAIRS, ids=lambda part: getattr(part, "name", ""))
def test_what_is_handled_and_what_is_ignored_is_all_there_is(
    projection: Projection[Any], decider: Decider[Any, Any, Any]
) -> None:
    assert projection.handlers.keys() | projection.ignored == set(decider.events)
    assert projection.handlers.keys() & projection.ignored == set()


def test_each_projection_is_named_after_its_module() -> None:
    modules = [import_module(f"projections.{projection.name}") for projection in WRITTEN_OUT]
    assert [module.projection for module in modules] == WRITTEN_OUT


@pytest.mark.parametrize(("projection", "decider"), PAIRS, ids=lambda part: getattr(part, "name", ""))
def test_only_the_creating_event_or_the_confirmation_begins_a_row(
    projection: Projection[Any], decider: Decider[Any, Any, Any]
) -> None:
    handled = {event.stored_name for event in projection.handlers}
    creating = handled & {"OrderCreated", "SkuRegistered", "AccountOpened"} or {"OrderConfirmed"}
    others = [handler for event, handler in projection.handlers.items() if event.stored_name not in creating]
    assert [handler(None, None) for handler in others] == [None] * len(others)
