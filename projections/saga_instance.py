"""One instance of a saga as operators see it, folded from its stream: what it is at, and why it ended or halts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from domain.engine_events import (
    ENGINE_EVENTS,
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaMarked,
    SagaMessageAttempted,
    SagaMessageTaken,
    SagaMigrated,
    SagaPaused,
    SagaResumed,
    SagaStopped,
    SagaVersionSet,
)
from domain.message import Event, Recorded
from domain.saga import Saga
from domain.saga_end import End, Ending
from domain.value import changed, value

Status: TypeAlias = Literal["running", "completed", "compensated", "failed", "paused"]
StateJson: TypeAlias = Mapping[str, Any]
_ATTEMPTS: Final = (SagaMessageAttempted, SagaMessageTaken)


@value
class Halt:
    """It stands still: because of an error, or on somebody's word."""

    status: Literal["failed", "paused"]
    why: str


@value
class SagaInstance:
    """An instance as of number `version` of its stream.

    `step` is the first that is pending; None where none is, or where that can't be told: the code that it runs on is
    not there, or fails. `state` is what that follows from, kept as long as it is needed. `updated_at` is when anything
    happened last, attempts at a message aside. `has_begun` says whether it has any event of its own. `deadlines` are
    the open ones by their names.
    """

    stream: str
    id: str
    version: int
    code_version: int
    started_at: datetime
    updated_at: datetime
    step: str | None
    deadlines: Mapping[str, datetime]
    end: End | None
    end_reason: str | None
    halt: Halt | None
    has_begun: bool
    state: StateJson | None

    @property
    def status(self) -> Status:
        """Who stands still does so whatever came before."""
        return self.halt.status if self.halt is not None else self.end or "running"

    @property
    def reason(self) -> str | None:
        """Why it stands still, or else why all was undone."""
        return self.end_reason if self.halt is None else self.halt.why

    @property
    def deadline(self) -> datetime | None:
        """When the next open deadline passes."""
        return min(self.deadlines.values(), default=None)


@dataclass(frozen=True, slots=True)
class StateForm:
    """How the states of a saga are kept in a row: as JSON, and back. `load` raises what does not fit."""

    dump: Callable[[Any], StateJson]
    load: Callable[[StateJson], Any]


class InstanceFold:
    """Folds the streams of one saga's instances. Raises ValueError for a saga of which no end is declared.

    The saga's own code is asked for its state and for what is pending. Where that fails, or is not there, the rest is
    told all the same: an instance that its code fails for is one of those to be seen.
    """

    def __init__(self, saga: Saga[Any, Any], form: StateForm) -> None:
        if saga.ending is None:
            raise ValueError(f"{saga.category} declares no end: nobody could tell when an instance is over")
        self._saga: Final = saga
        self._ending: Final[Ending[Any, Any]] = saga.ending
        self._form: Final = form

    def after(self, known: SagaInstance | None, recorded: Recorded[Any]) -> SagaInstance | None:
        """The instance after a further event of its stream, None where that is not one yet, or no longer.

        One begins with an event of its own, with the version that it runs on, or where it stands still before that.
        """
        event = recorded.event
        is_own = not isinstance(event, ENGINE_EVENTS)
        if known is None:
            if not is_own and not isinstance(event, SagaVersionSet | SagaStopped | SagaPaused):
                return None
            known = _begun(recorded)
        if isinstance(event, SagaResumed) and not known.has_begun:
            return None
        after = self._own(known, recorded) if is_own else self._noted(known, event)
        updated = known.updated_at if isinstance(event, _ATTEMPTS) else recorded.at
        return changed(after, version=recorded.version, updated_at=updated)

    def _own(self, known: SagaInstance, recorded: Recorded[Any]) -> SagaInstance:
        event = recorded.event
        end = self._ending.after(known.end, event)
        is_new = known.end is not None and end is None
        reason = getattr(event, "reason", None) if type(event) in self._ending.events else known.end_reason
        after = changed(
            known,
            end=end,
            end_reason=reason if end == "compensated" else None,
            started_at=recorded.at if is_new else known.started_at,
            has_begun=True,
        )
        return self._at_step(after, lambda: self._saga.evolve_past_notes(self._state_of(known), event))

    def _noted(self, known: SagaInstance, event: Event) -> SagaInstance:
        match event:
            case SagaStopped():
                return changed(known, halt=Halt("failed", event.error))
            case SagaPaused():
                return known if known.halt is not None else changed(known, halt=Halt("paused", event.why))
            case SagaResumed():
                return changed(known, halt=None)
            case SagaDeadlineSet():
                return changed(known, deadlines={**known.deadlines, event.name: event.due})
            case SagaDeadlineEnded() | SagaDeadlinePassed():
                left = {name: due for name, due in known.deadlines.items() if name != event.name}
                return changed(known, deadlines=left)
            case SagaVersionSet() | SagaMigrated():
                moved = changed(known, code_version=event.version)
                return self._at_step(moved, lambda: self._state_of(known)) if known.has_begun else moved
            case SagaMarked():
                return self._at_step(known, lambda: self._saga.changes[event.name](self._state_of(known)))
            case _:
                return known

    def _state_of(self, known: SagaInstance) -> Any:
        """Raises LookupError where it is not known."""
        if not known.has_begun:
            return self._saga.initial
        if known.state is None:
            raise LookupError(f"the state of {known.stream} is not known")
        return self._form.load(known.state)

    def _at_step(self, after: SagaInstance, state_after: Callable[[], Any]) -> SagaInstance:
        if after.end is not None and not self._goes_on:
            return changed(after, state=None, step=None)
        state, step = None, None
        try:
            found = state_after()
            state = self._form.dump(found)
            step = next((ask.step for ask in self._saga.versions[after.code_version].pending(found)), None)
        except Exception:  # noqa: BLE001 - whatever the saga's code raises, the engine's notes tell what became of it
            return changed(after, state=state, step=None)
        return changed(after, state=state, step=step)

    @property
    def _goes_on(self) -> bool:
        """Whether anything may be pending after an end."""
        return self._ending.on_late is not None or bool(self._ending.begins_again)


def _begun(recorded: Recorded[Any]) -> SagaInstance:
    return SagaInstance(
        stream=recorded.stream,
        id=recorded.aggregate_id,
        version=recorded.version,
        code_version=1,
        started_at=recorded.at,
        updated_at=recorded.at,
        step=None,
        deadlines={},
        end=None,
        end_reason=None,
        halt=None,
        has_begun=False,
        state=None,
    )
