"""One instance of a saga, folded from its stream: its state, and since which event each of its steps is pending."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from domain.call import Call
from domain.engine_events import (
    ENGINE_EVENTS,
    EngineEvent,
    SagaCallBegun,
    SagaMarked,
    SagaMigrated,
    SagaResumed,
    SagaVersionSet,
)
from domain.message import Event, Recorded
from domain.saga import Ask, Saga
from domain.saga_end import End
from infrastructure.aggregates.aggregate import Aggregate, Snapshot
from infrastructure.sagas.code_state import CodeState, kept_by
from infrastructure.sagas.errors import CodeMissing, SagaStuck
from infrastructure.sagas.kept_signals import KeptSignal, kept_after
from infrastructure.sagas.quarantine_state import Standing, evolve
from infrastructure.sagas.timer_notes import timers_in, written
from infrastructure.sagas.timers import Timers, concern_deadlines, declared_by, notes_on
from infrastructure.sagas.timers import evolve as evolve_timers
from infrastructure.sagas.undo_order import UndoOrder, ordered_after
from infrastructure.snapshots.rule import SnapshotRule

StateT = TypeVar("StateT")
_CAUSES: Final = "causes"
_VERSION: Final = "version"
_CHANGES: Final = "changes"
_OVER: Final = "over"


class Instance(Aggregate[StateT]):
    """A step's cause is the event at which it became pending, and has been pending ever since.

    So the id of its command, which is drawn from the cause, stays the same whatever else is appended until the step is
    answered. It is found by asking the saga after each event what is pending. What the engine notes in the stream
    changes neither, but `standing`, `timers`, and `code`: which version of the saga decides. `deadlines_set` are the
    events by their versions that set open deadlines, as far as they were read here. `signals` are those that were not
    taken. `sent` are the steps whose calls to the outside may have been done. `undo` is an order that was not taken.
    `over` is how it has ended, where that is declared; None: it has not.
    """

    def __init__(self, saga: Saga[StateT, Any], stream: str) -> None:
        self._saga = saga
        self.standing = Standing()
        self.code = CodeState()
        self.timers = Timers()
        self.deadlines_set: dict[int, Recorded[Any]] = {}
        self.signals: tuple[KeptSignal, ...] = ()
        self.sent: Mapping[str, SagaCallBegun] = {}
        self.over: End | None = None
        self.undo: UndoOrder | None = None
        self._causes: dict[str, UUID] = {}
        super().__init__(stream, saga.initial, saga.evolve_past_notes, (*saga.events, *ENGINE_EVENTS))

    @property
    def saga(self) -> Saga[StateT, Any]:
        """The version that decides for this instance. Raises CodeMissing."""
        if (what := self.code.lacking_in(self._saga)) is not None:
            raise CodeMissing(self.stream, what)
        return self._saga if self.code.version is None else self._saga.versions[self.code.version]

    @property
    def pending(self) -> Sequence[Ask | Call]:
        """What must be asked for now. Raises CodeMissing."""
        return self.saga.pending(self.state)

    @property
    def next_signal(self) -> KeptSignal | None:
        """The first signal that the instance waits for and has. Raises CodeMissing."""
        awaited = self.saga.awaits(self.state) if self.signals else ()
        return next((signal for signal in self.signals if signal.name in awaited), None)

    @property
    def takes_snapshots(self) -> bool:
        """Whether a snapshot would hold all of it: the engine has nothing to remember, and the code is known."""
        is_known = self.code.lacking_in(self._saga) is None
        has_more = self.signals or self.sent or self.undo is not None
        return self.standing.is_clear and not has_more and is_known

    @property
    def causes(self) -> Mapping[str, UUID]:
        """The id of the event since which each step is pending."""
        return self._causes

    def forget(self) -> None:
        super().forget()
        self.standing = Standing()
        self.code = CodeState()
        self.timers = Timers()
        self.deadlines_set = {}
        self.signals = ()
        self.sent = {}
        self.over = None
        self.undo = None
        self._causes = {}

    def restore(self, snapshot: Snapshot) -> None:
        super().restore(snapshot)
        self.code = _code_in(snapshot.notes)
        self._causes = _causes_in(snapshot.notes)
        self.timers = timers_in(snapshot.notes)
        self.over = snapshot.notes.get(_OVER)

    def snapshot(self) -> Snapshot:
        """As an aggregate's. Raises ValueError too where it `takes_snapshots` not."""
        if not self.takes_snapshots:
            raise ValueError(f"{self.stream} has more to remember than a snapshot holds, or its code is missing")
        notes: dict[str, Any] = {_CAUSES: {step: str(cause) for step, cause in self._causes.items()}}
        if self.code.version not in {None, 1}:
            notes[_VERSION] = self.code.version
        if self._saga.ending is not None:
            notes[_OVER] = self.over
        if self.code.changes:
            notes[_CHANGES] = sorted(self.code.changes)
        return replace(super().snapshot(), notes={**notes, **written(self.timers)})

    def take(self, records: Iterable[Recorded[Any]]) -> None:
        taken = list(records)
        super().take(taken)
        opened = {each.version for each in self.timers.open.values()}
        self.deadlines_set |= {recorded.version: recorded for recorded in taken if recorded.version in opened}

    def cause_of(self, step: str) -> UUID:
        """The id of the event since which the step is pending. Raises SagaStuck for one that no event made so."""
        cause = self._causes.get(step)
        if cause is None:
            raise SagaStuck(self.stream, step, "is pending since no event of its stream")
        return cause

    def observe(self, event: Event) -> list[Event]:
        """What is to be stored of a message; where that begins the instance, the code that it runs on with it.

        Raises CodeMissing.
        """
        saga = self.saga
        facts: list[Event] = saga.observe(event, self.state) if saga.wakes_at(event) else []
        if not facts or self.code.version is not None:
            return facts
        version = [SagaVersionSet(version=saga.version)] if saga.version > 1 else []
        return [*version, *facts, *(SagaMarked(name=name) for name in saga.changes)]

    def notes_beside(self, facts: Sequence[Event], now: datetime) -> list[EngineEvent]:
        """What is noted beside these facts, the next ones: which deadlines end with them, and which begin.

        Raises CodeMissing.
        """
        if not self._saga.has_deadlines or not concern_deadlines(facts):
            return []
        return notes_on(self.saga, self.timers, self.state, facts, now)

    def _is_kept(self, name: str) -> bool:
        """Whether a signal of this name that comes now counts, now or later."""
        ignored = {signal.name for signal in self.saga.signals if signal.early == "ignore"}
        return name not in ignored or name in self.saga.awaits(self.state)

    def _fold(self, event: Event, event_id: UUID) -> None:
        super()._fold(event, event_id)
        if isinstance(event, ENGINE_EVENTS):
            self.sent = _sent_after(self.sent, event, self.standing)
            self.standing = evolve(self.standing, event)
            self.timers = evolve_timers(self.timers, event, self.version)
            self.undo = ordered_after(self.undo, event, event_id)
        self.code = self.code.after(event)
        self.over = self.over if self._saga.ending is None else self._saga.ending.after(self.over, event)
        known = self.code.lacking_in(self._saga) is None
        if isinstance(event, ENGINE_EVENTS):
            self.signals = kept_after(self.signals, event, event_id, self._is_kept if known else _all)
        if self.timers.passed and known:
            self.timers = self.timers.passed_among(declared_by(self.saga, self.state))
        kept = kept_by(event) if isinstance(event, SagaMigrated) else self._causes
        self._causes = {ask.step: kept.get(ask.step, event_id) for ask in (self.pending if known else ())}
        self.sent = {step: begun for step, begun in self.sent.items() if step in self._causes or not known}


def snapshot_rule(saga: Saga[Any, Any], states: tuple[type, ...], every: int = 100) -> SnapshotRule:
    """Snapshots of a saga's streams. One whose steps are not those that are pending today is not used.

    Nor is one of a saga that had no deadlines then: who took it may not have known of those that the stream told. Nor
    one that does not say whether the instance is over, where the saga has an end: earlier builds did not look.
    """

    def fits(state: Any, notes: Mapping[str, Any]) -> bool:
        try:
            timers_in(notes)
            code = _code_in(notes)
            if code.lacking_in(saga) is not None or (saga.ending is not None and _OVER not in notes):
                return False
            pending = saga.versions[code.version or saga.version].pending(state)
            return _causes_in(notes).keys() == {ask.step for ask in pending}
        except (AttributeError, KeyError, TypeError, ValueError):
            return False

    return SnapshotRule(saga.category, states, every, revision=2 if saga.has_deadlines else 1, fits=fits)


def _code_in(notes: Mapping[str, Any]) -> CodeState:
    return CodeState(int(notes.get(_VERSION, 1)), frozenset(notes.get(_CHANGES, ())))


def _all(name: str) -> bool:
    """Whether a signal counts, for code that is not there to say so."""
    return True


def _sent_after(
    sent: Mapping[str, SagaCallBegun], event: EngineEvent, standing: Standing
) -> Mapping[str, SagaCallBegun]:
    """A word that an instance that stopped is to go on also says that a call that stands may be sent again."""
    match event:
        case SagaCallBegun():
            return {**sent, event.step: event}
        case SagaResumed() if standing.stopped is not None:
            return {step: begun for step, begun in sent.items() if begun.unknown != "stand"}
        case _:
            return sent


def _causes_in(notes: Mapping[str, Any]) -> dict[str, UUID]:
    return {step: UUID(cause) for step, cause in notes[_CAUSES].items()}
