"""What happened to an instance of a saga, read back from its stream: observed, asked, answered, undone, and by whom.

What it asks for is not stored: it follows from the state, as everywhere, and began to be pending with an event.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from pydantic_core import to_jsonable_python

from domain.call import Call
from domain.engine_events import (
    ENGINE_EVENTS,
    SagaCallBegun,
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaMigrated,
    SagaUndoTaken,
    SagaVersionSet,
)
from domain.message import Event, Recorded
from domain.saga import Ask, Saga
from domain.saga_steps import Step, kind_of, row_of
from infrastructure.access.caller import SAGA

Kind: TypeAlias = Literal["observed", "asked", "answered", "undone", "deadline", "operator"]
_MOST: Final = 500
"""Characters of a detail."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to an instance; `event_id` is the event of its stream that tells of it, or after which a
    step became pending."""

    at: datetime
    kind: Kind
    step: str | None
    detail: str
    by: str
    event_id: UUID


class Timeline:
    """Reads the stream of one instance from a place on where it is in this state, on this version of its saga.

    Where the saga's code fails, or is not there, what was asked is not told.
    """

    def __init__(self, saga: Saga[Any, Any], state: Any, version: int) -> None:
        self._saga: Final = saga
        self._state = state
        self._version = version

    def through(self, recorded: Iterable[Recorded[Any]]) -> Iterator[Moment]:
        """What these events tell, the next of the stream, oldest first."""
        asked: list[Moment] = []
        for _, group in groupby(recorded, lambda each: each.metadata.command_id):
            together = list(group)
            if any(isinstance(each.event, SagaUndoTaken) for each in together):
                asked = []  # what the answer before it made pending was never asked for
            told, new = self._told_together(together)
            yield from (*asked, *told)
            asked = new
        yield from asked

    def _told_together(self, recorded: Sequence[Recorded[Any]]) -> tuple[list[Moment], list[Moment]]:
        """What one command left; it may make several facts, after the last of which its steps are asked for."""
        led, new = None, dict[str, tuple[Recorded[Any], Ask | Call]]()
        before, told = self._pending(), list[Moment]()
        for each in recorded:
            self._fold(each.event)
            after = self._pending()
            led = self._kind_and_step(each, [step for step in before if step not in after], led)
            told.append(Moment(each.at, *led, described(each.event, each.aggregate_id), each.metadata.actor, each.id))
            new |= {step: (each, ask) for step, ask in after.items() if step not in before}
            before = after
        return told, [self._asked(each, ask) for step, (each, ask) in new.items() if step in before]

    def _asked(self, recorded: Recorded[Any], ask: Ask | Call) -> Moment:
        asked = ask.request if isinstance(ask, Call) else ask.command
        by = f"{SAGA}{self._saga.category}"
        return Moment(recorded.at, "asked", ask.step, type(asked).__name__, by, recorded.id)

    @property
    def _steps(self) -> Sequence[Step]:
        """The table of the version that the instance runs on."""
        return self._saga.versions.get(self._version, self._saga).steps

    def _kind_and_step(
        self, recorded: Recorded[Any], ended: Sequence[str], led: tuple[Kind, str | None] | None
    ) -> tuple[Kind, str | None]:
        """`ended` are the steps that are pending no more; `led` is the same of the fact before, of the same command."""
        event = recorded.event
        if isinstance(event, SagaDeadlineSet | SagaDeadlineEnded | SagaDeadlinePassed):
            return "deadline", event.name
        if isinstance(event, SagaCallBegun):
            return "asked", event.step
        if isinstance(event, ENGINE_EVENTS):
            is_engine = recorded.metadata.actor == f"{SAGA}{self._saga.category}"
            return "observed" if is_engine else "operator", getattr(event, "step", None)
        answered = next((step for step in ended if self._may_answer(event, step)), None)
        if answered is not None:
            undoes = any(row.undo == kind_of(answered) for row in self._steps)
            return "undone" if undoes else "answered", answered
        return led or ("observed", None)

    def _may_answer(self, event: Event, step: str) -> bool:
        row = row_of(self._steps, step)
        return row is None or any(outcome.fact is type(event) for outcome in row.answers.values())

    def _fold(self, event: Event) -> None:
        if isinstance(event, SagaVersionSet | SagaMigrated):
            self._version = event.version
        try:
            self._state = self._saga.evolve_past_notes(self._state, event)
        except Exception:  # noqa: BLE001 - the instance may have stopped at this very failure, and that is to be told
            return

    def _pending(self) -> Mapping[str, Ask | Call]:
        try:
            return {ask.step: ask for ask in self._saga.versions[self._version].pending(self._state)}
        except Exception:  # noqa: BLE001 - as above
            return {}


def described(event: Event, instance: str) -> str:
    """The event in words: its name, and its members as JSON has them, but null and the instance's own id; at most 500
    characters."""
    members = to_jsonable_python(event).items()
    told = [f"{name}={_text(value)}" for name, value in members if value is not None and value != instance]
    text = f"{event.stored_name} {', '.join(told)}" if told else event.stored_name
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
