"""The signals of an instance that have not been taken, in the order in which they came."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from domain.engine_events import EngineEvent, SagaSignalled, SagaSignalTaken
from domain.signal import Payload


class KeptSignal(NamedTuple):
    """A signal, and the id of the event that says that it came."""

    id: UUID
    name: str
    payload: Payload


def kept_after(
    kept: tuple[KeptSignal, ...], event: EngineEvent, event_id: UUID, is_kept: Callable[[str], bool]
) -> tuple[KeptSignal, ...]:
    """Those that are kept after what the engine noted; `is_kept` says whether one of a name that comes now is."""
    match event:
        case SagaSignalled() if is_kept(event.name):
            return (*kept, KeptSignal(event_id, event.name, event.payload))
        case SagaSignalTaken():
            return tuple(signal for signal in kept if str(signal.id) != event.signal_id)
        case _:
            return kept
