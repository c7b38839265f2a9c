"""One instance of a saga, folded from its stream: its state, and since which event each of its steps is pending."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

from domain.call import Call
from domain.engine_events import ENGINE_EVENTS, EngineEvent, SagaCallBegun, SagaResumed
from domain.message import Event
from domain.saga import Ask, Saga
from infrastructure.aggregates.aggregate import Aggregate, Snapshot
from infrastructure.sagas.errors import SagaStuck
from infrastructure.sagas.kept_signals import KeptSignal, kept_after
from infrastructure.sagas.quarantine_state import Standing, evolve
from infrastructure.snapshots.rule import SnapshotRule

StateT = TypeVar("StateT")
_CAUSES: Final = "causes"


class Instance(Aggregate[StateT]):
    """A step's cause is the event at which it became pending, and has been pending ever since.

    So the id of its command, which is drawn from the cause, stays the same whatever else is appended until the step is
    answered. It is found by asking the saga after each event what is pending. What the engine notes in the stream
    changes neither, but `standing`. `signals` are those that were not taken. `sent` are the steps whose calls to the
    outside may have been done.
    """

    def __init__(self, saga: Saga[StateT, Any], stream: str) -> None:
        self.saga: Saga[StateT, Any] = saga
        self.standing = Standing()
        self.signals: tuple[KeptSignal, ...] = ()
        self.sent: Mapping[str, SagaCallBegun] = {}
        self._causes: dict[str, UUID] = {}
        super().__init__(stream, saga.initial, saga.evolve_past_notes, (*saga.events, *ENGINE_EVENTS))

    @property
    def pending(self) -> Sequence[Ask | Call]:
        """What must be asked for now."""
        return self.saga.pending(self.state)

    @property
    def next_signal(self) -> KeptSignal | None:
        """The first signal that the instance waits for and has."""
        awaited = self.saga.awaits(self.state) if self.signals else ()
        return next((signal for signal in self.signals if signal.name in awaited), None)

    @property
    def is_clear(self) -> bool:
        """Whether the engine has nothing to remember of it but what its snapshot keeps."""
        return self.standing.is_clear and not self.signals and not self.sent

    @property
    def causes(self) -> Mapping[str, UUID]:
        """The id of the event since which each step is pending."""
        return self._causes

    def forget(self) -> None:
        super().forget()
        self.standing = Standing()
        self.signals = ()
        self.sent = {}
        self._causes = {}

    def restore(self, snapshot: Snapshot) -> None:
        super().restore(snapshot)
        self._causes = _causes_in(snapshot.notes)

    def snapshot(self) -> Snapshot:
        """As an aggregate's. Raises ValueError too where the engine has something to remember of it: none is taken."""
        if not self.is_clear:
            raise ValueError(f"{self.stream} has more to be remembered of it than a snapshot holds")
        causes = {step: str(cause) for step, cause in self._causes.items()}
        return replace(super().snapshot(), notes={_CAUSES: causes})

    def cause_of(self, step: str) -> UUID:
        """The id of the event since which the step is pending. Raises SagaStuck for one that no event made so."""
        cause = self._causes.get(step)
        if cause is None:
            raise SagaStuck(self.stream, step, "is pending since no event of its stream")
        return cause

    def _is_kept(self, name: str) -> bool:
        """Whether a signal of this name that comes now counts, now or later."""
        ignored = {signal.name for signal in self.saga.signals if signal.early == "ignore"}
        return name not in ignored or name in self.saga.awaits(self.state)

    def _fold(self, event: Event, event_id: UUID) -> None:
        super()._fold(event, event_id)
        if isinstance(event, ENGINE_EVENTS):
            self.standing = evolve(self.standing, event)
            self.signals = kept_after(self.signals, event, event_id, self._is_kept)
            self.sent = _sent_after(self.sent, event)
        self._causes = {ask.step: self._causes.get(ask.step, event_id) for ask in self.pending}
        self.sent = {step: begun for step, begun in self.sent.items() if step in self._causes}


def snapshot_rule(saga: Saga[Any, Any], states: tuple[type, ...], every: int = 100) -> SnapshotRule:
    """Snapshots of a saga's streams. One whose steps are not those that are pending today is not used."""

    def fits(state: Any, notes: Mapping[str, Any]) -> bool:
        try:
            return _causes_in(notes).keys() == {ask.step for ask in saga.pending(state)}
        except (AttributeError, KeyError, TypeError, ValueError):
            return False

    return SnapshotRule(saga.category, states, every, fits=fits)


def _sent_after(sent: Mapping[str, SagaCallBegun], event: EngineEvent) -> Mapping[str, SagaCallBegun]:
    """A word that the instance is to go on also says that a call that stands may be sent again."""
    match event:
        case SagaCallBegun():
            return {**sent, event.step: event}
        case SagaResumed():
            return {step: begun for step, begun in sent.items() if begun.unknown != "stand"}
        case _:
            return sent


def _causes_in(notes: Mapping[str, Any]) -> dict[str, UUID]:
    return {step: UUID(cause) for step, cause in notes[_CAUSES].items()}
