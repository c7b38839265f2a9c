"""What the engine of sagas notes in a saga's stream: it folds this itself, and the saga never sees it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from domain.message import Event, stored_as
from domain.value import value

PREFIX: Final = "Saga"
"""How the stored names of these events begin, and those of no others."""


@stored_as(name="SagaMessageParked", version=1)
class SagaMessageParked(Event):
    """A message, number `version` of its stream, failed again and again, at last for this reason: it was set aside.

    Earlier builds wrote it; today the instance stops.
    """

    stream: str
    version: int
    reason: str


@stored_as(name="SagaMessageAttempted", version=1)
class SagaMessageAttempted(Event):
    """A message that came again is in hand; the process may end with it."""

    stream: str
    version: int
    position: int
    message_id: str


@stored_as(name="SagaStopped", version=1)
class SagaStopped(Event):
    """The instance stands still at this message, for this error, until somebody has it go on."""

    stream: str
    version: int
    position: int
    message_id: str
    error: str


@stored_as(name="SagaPaused", version=1)
class SagaPaused(Event):
    """The instance stands still, as whoever is named in the metadata has said, until somebody has it go on."""

    why: str


@stored_as(name="SagaMessageWaiting", version=1)
class SagaMessageWaiting(Event):
    """A message came while the instance stood still; it is taken once that goes on."""

    stream: str
    version: int
    position: int
    message_id: str


@stored_as(name="SagaResumed", version=1)
class SagaResumed(Event):
    """The instance goes on, as whoever is named in the metadata has said: first with what waits, in log order."""

    why: str


@stored_as(name="SagaMessageTaken", version=1)
class SagaMessageTaken(Event):
    """A message that had waited, or had come again, was reacted to."""

    message_id: str


@stored_as(name="SagaVersionSet", version=1)
class SagaVersionSet(Event):
    """The instance begins on this version of its saga. Without this event it runs on version 1."""

    version: int


@stored_as(name="SagaMarked", version=1)
class SagaMarked(Event):
    """The instance began when its saga had this change."""

    name: str


@value
class StepKept:
    """A step that stays pending, and the id of the event since which it is."""

    step: str
    since: str


@stored_as(name="SagaMigrated", version=1)
class SagaMigrated(Event):
    """The instance runs on this version from here on, as whoever is named in the metadata has said.

    `kept` are the steps that were pending and stay so, under their ids: the version from before may be gone later.
    """

    version: int
    why: str
    kept: tuple[StepKept, ...]


@stored_as(name="SagaDeadlineSet", version=1)
class SagaDeadlineSet(Event):
    """A deadline begins with the events that it stands beside; it passes at this time, unless it ends before."""

    name: str
    due: datetime


@stored_as(name="SagaDeadlineEnded", version=1)
class SagaDeadlineEnded(Event):
    """A deadline ended before it passed."""

    name: str


@stored_as(name="SagaDeadlinePassed", version=1)
class SagaDeadlinePassed(Event):
    """A deadline passed, and led to the saga's own events that follow it."""

    name: str
    due: datetime


@stored_as(name="SagaSignalled", version=1)
class SagaSignalled(Event):
    """Whoever is named in the metadata has sent the instance a signal; it counts when that waits for it."""

    name: str
    payload: Mapping[str, Any]


@stored_as(name="SagaSignalTaken", version=1)
class SagaSignalTaken(Event):
    """The facts beside this follow from the signal of that record."""

    signal_id: str


@stored_as(name="SagaMessageLate", version=1)
class SagaMessageLate(Event):
    """A message came after the instance had ended, and nothing follows from it."""

    stream: str
    version: int
    position: int
    message_id: str


@stored_as(name="SagaCallBegun", version=1)
class SagaCallBegun(Event):
    """The step's call to the outside is sent now; until its answer is stored it may have been done.

    The worker that sends it may have it in hand until then. `unknown` is what its saga declares for that.
    """

    step: str
    unknown: str
    until: datetime


@stored_as(name="SagaUndoOrdered", version=1)
class SagaUndoOrdered(Event):
    """The instance is to be undone, as whoever is named in the metadata has said, once what it asked is answered."""

    why: str


@stored_as(name="SagaUndoTaken", version=1)
class SagaUndoTaken(Event):
    """The facts beside this follow from the order to undo of that record; none where it is undone, or can't be."""

    order_id: str


@stored_as(name="SagaCancelRequested", version=1)
class SagaCancelRequested(Event):
    """Whoever is named in the metadata has had cancelled what the instance is for, as a customer would."""

    why: str


@stored_as(name="SagaStepSkipped", version=1)
class SagaStepSkipped(Event):
    """The step is no longer asked for, as whoever is named in the metadata has said; the facts beside this stand for
    its answer."""

    step: str
    why: str


EngineEvent: TypeAlias = (
    SagaCallBegun
    | SagaCancelRequested
    | SagaDeadlineEnded
    | SagaDeadlinePassed
    | SagaDeadlineSet
    | SagaMarked
    | SagaMessageAttempted
    | SagaMessageLate
    | SagaMessageParked
    | SagaMessageTaken
    | SagaMessageWaiting
    | SagaMigrated
    | SagaPaused
    | SagaResumed
    | SagaSignalled
    | SagaSignalTaken
    | SagaStepSkipped
    | SagaStopped
    | SagaUndoOrdered
    | SagaUndoTaken
    | SagaVersionSet
)
ENGINE_EVENTS: Final[tuple[type[EngineEvent], ...]] = (
    SagaCallBegun,
    SagaCancelRequested,
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaMarked,
    SagaMessageAttempted,
    SagaMessageLate,
    SagaMessageParked,
    SagaMessageTaken,
    SagaMessageWaiting,
    SagaMigrated,
    SagaPaused,
    SagaResumed,
    SagaSignalled,
    SagaSignalTaken,
    SagaStepSkipped,
    SagaStopped,
    SagaUndoOrdered,
    SagaUndoTaken,
    SagaVersionSet,
)
ENGINE_NAMES: Final = frozenset(name for event in ENGINE_EVENTS for name in event.stored_names())
"""All names under which any version of them is stored."""
