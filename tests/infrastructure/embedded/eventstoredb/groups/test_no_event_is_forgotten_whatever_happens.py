"""Random histories of a group: whatever happens, no event is forgotten and no consumer is overrun."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.engine import Action
from tests.infrastructure.embedded.eventstoredb.groups.story import Story, event

STEPS = ["happens", "left out", "joins", "leaves", "acknowledged", "refused", "passes", "parked", "not parked"]
PATH = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 10_000)), max_size=60)


class Plot:
    """Carries out steps; the number that comes with each draws what is up to chance."""

    def __init__(self, strategy: str) -> None:
        self.story = Story(
            consumer_strategy=strategy,
            max_retry_count=2,
            message_timeout_ms=1500,
            min_checkpoint_count=1,
            max_checkpoint_count=3,
        )
        self.consumers: list[Consumer] = []
        self.wanted: set[int] = set()
        self.done: set[int] = set()

    def carry_out(self, step: str, draw: int) -> None:
        actions: dict[str, Callable[[int], None]] = {
            "happens": self._happens,
            "left out": lambda _: self.story.is_left_out(),
            "joins": lambda chance: self.consumers.append(self.story.joins(slots=1 + chance % 3)),
            "leaves": self._leaves,
            "acknowledged": self._acknowledged,
            "refused": self._refused,
            "passes": lambda _: self.story.passes(seconds=1),
            "parked": lambda _: self._parked(),
            "not parked": lambda _: self.story.parking_fails(),
        }
        actions[step](draw)

    def open_ones(self) -> list[int]:
        return sorted(m.record.number for consumer in self.consumers for m in consumer.in_flight.values())

    def _happens(self, draw: int) -> None:
        self.wanted.add(self.story.next)
        self.story.happen([event(self.story.next, f"stream-{draw % 5}")])

    def _leaves(self, draw: int) -> None:
        if self.consumers:
            self.story.leaves(self.consumers.pop(draw % len(self.consumers)))

    def _acknowledged(self, draw: int) -> None:
        if open_ones := self.open_ones():
            number = open_ones[draw % len(open_ones)]
            self.done.add(number)
            self.story.acknowledged(number)

    def _refused(self, draw: int) -> None:
        if open_ones := self.open_ones():
            self.story.refused([Action.PARK, Action.RETRY, Action.UNKNOWN][draw % 3], open_ones[draw % len(open_ones)])

    def _parked(self) -> None:
        self.done.update(self.story.parking)
        self.story.parking_succeeds()


@pytest.mark.parametrize("strategy", ["DispatchToSingle", "RoundRobin", "Pinned"])
@settings(max_examples=150, deadline=None, database=None)
@given(path=PATH)
def test_whatever_happens(strategy: str, path: list[tuple[str, int]]) -> None:
    plot = Plot(strategy)
    for step, draw in path:
        plot.carry_out(step, draw)
        still_open = plot.wanted - plot.done
        assert all(checkpoint < min(still_open, default=checkpoint + 1) for checkpoint in plot.story.checkpoints[-1:])
        assert all(len(consumer.in_flight) <= consumer.slots for consumer in plot.consumers)
        assert len(plot.story.engine.in_flight) == len(plot.open_ones())
    assert plot.story.checkpoints == sorted(set(plot.story.checkpoints))
    _bring_to_an_end(plot)
    assert plot.done == plot.wanted


def _bring_to_an_end(plot: Plot) -> None:
    """One patient consumer answers everything that is still open."""
    plot.consumers.append(plot.story.joins(slots=1000))
    plot.carry_out("parked", 0)
    while plot.open_ones():
        plot.carry_out("acknowledged", 0)
