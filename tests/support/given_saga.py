"""Given these events of a saga, when a message or an answer comes, then those facts and asks: the form of its tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, Generic
from uuid import UUID

import pytest

from domain.errors import UnexpectedAnswer
from domain.message import Command, Event
from domain.reply import StoredReply
from domain.saga import Ask, EventT, Saga, StateT

ANSWER_ID: Final = UUID(int=1)
"""The id of the last event of each answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the target of a pending step left in its stream."""

    step: str
    events: tuple[Event, ...]


def answer(step: str, *events: Event) -> Answer:
    """What comes back for a step."""
    return Answer(step, events)


@dataclass(frozen=True, slots=True)
class GivenSaga(Generic[StateT, EventT]):
    """The saga's own history, the oldest event first."""

    saga: Saga[StateT, EventT]
    past: tuple[EventT, ...]

    def when(self, heard: Event | Answer) -> "WhenHeard[StateT, EventT]":
        return WhenHeard(self, heard)

    def asks(self, **commands: Command) -> None:
        """Exactly these commands are pending, by their steps in this order."""
        assert self.pending == commands

    @property
    def pending(self) -> dict[str, Command]:
        """What is pending: the commands by their steps."""
        return {ask.step: ask.command for ask in self.saga.pending(self.state) if isinstance(ask, Ask)}

    @property
    def state(self) -> StateT:
        return reduce(self.saga.evolve_past_notes, self.past, self.saga.initial)

    def after(self, facts: Sequence[EventT]) -> "GivenSaga[StateT, EventT]":
        return GivenSaga(self.saga, (*self.past, *facts))


@dataclass(frozen=True, slots=True)
class WhenHeard(Generic[StateT, EventT]):
    """A message or an answer that comes after a history."""

    given: GivenSaga[StateT, EventT]
    heard: Event | Answer

    def then(self, *facts: EventT, asks: Mapping[str, Command]) -> None:
        """Exactly these facts are stored, exactly these commands are pending after them, and a repeat is silence."""
        assert self._facts_in(self.given) == list(facts)
        after = self.given.after(facts)
        assert list(after.pending.items()) == list(asks.items())
        assert self._facts_in(after) == []

    def refuses(self) -> None:
        """It is refused, by the names of the saga, the step and what came."""
        assert isinstance(self.heard, Answer)
        with pytest.raises(UnexpectedAnswer) as refusal:
            self._facts_in(self.given)
        told = (refusal.value.workflow, refusal.value.step, refusal.value.answer)
        names = tuple(event.stored_name for event in self.heard.events)
        assert told == (self.given.saga.category, self.heard.step, names)

    def _facts_in(self, given: GivenSaga[StateT, EventT]) -> list[Any]:
        if not isinstance(self.heard, Answer):
            return [*given.saga.observe(self.heard, given.state)]
        command = self.given.pending[self.heard.step]
        reply = StoredReply(self.heard.events, ANSWER_ID)
        return [*given.saga.on_reply(Ask(self.heard.step, command), reply, given.state)]


def given(saga: Saga[StateT, EventT], *past: EventT) -> GivenSaga[StateT, EventT]:
    """The saga's own history; empty without events."""
    return GivenSaga(saga, past)
