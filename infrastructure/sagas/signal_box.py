"""Where signals to the instances of a saga are sent: each is an event in the instance's stream, which wakes it."""

from typing import Any, Final

from domain.engine_events import SagaSignalled
from domain.message import Event
from domain.saga import Saga
from domain.signal import Payload
from infrastructure.commands.request import Outcome, Request
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.errors import UnknownSignal
from infrastructure.sagas.words import Reading, Words


class SignalBox:
    """Of one saga. Its code need not be able to fold the instance: one that stands still takes the signal once it goes
    on."""

    def __init__(self, saga: Saga[Any, Any], streams: Streams, codec: EventCodec) -> None:
        self._saga: Final = saga
        self._words: Final = Words(saga, streams, codec)

    async def send(self, stream: str, name: str, payload: Payload, request: Request) -> Outcome:
        """Appends the signal to the instance's stream, once per command id.

        Raises UnknownSignal, CommandIdReused, UnknownInstance, VersionMismatch, StoreUnavailable, ConcurrencyConflict,
        and what a stream that can't be appended to raises.
        """
        known = [signal.name for signal in self._saga.signals]
        if name not in known:
            raise UnknownSignal(stream, name, known)

        async def signalled(_: Reading) -> list[Event]:
            return [SagaSignalled(name=name, payload=payload)]

        outcome, _ = await self._words.say(stream, request, signalled)
        return outcome
