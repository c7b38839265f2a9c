"""Where signals to the instances of a saga are sent: each is an event in the instance's stream, which wakes it."""

from typing import Any, Final

from domain.engine_events import SagaSignalled
from domain.message import Recorded
from domain.saga import Saga
from domain.signal import Payload
from infrastructure.commands.request import Request
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import CommandIdReused
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.sagas.errors import UnknownInstance, UnknownSignal
from infrastructure.sagas.rivalry import repeatedly


class SignalBox:
    """Of one saga. Nothing of the saga's is called: an instance that stands still takes the signal once it goes on."""

    def __init__(self, saga: Saga[Any, Any], streams: Streams, codec: EventCodec) -> None:
        self._saga: Final = saga
        self._streams: Final = streams
        self._codec: Final = codec

    async def send(self, stream: str, name: str, payload: Payload, request: Request) -> bool:
        """Appends the signal to the instance's stream, once per command id; whether it was not there before.

        Raises UnknownSignal, UnknownInstance, CommandIdReused, StoreUnavailable, ConcurrencyConflict, and what a stream
        that can't be appended to raises.
        """
        known = [signal.name for signal in self._saga.signals]
        if name not in known:
            raise UnknownSignal(stream, name, known)
        return await repeatedly(stream, self._send, stream, name, payload, request)

    async def _send(self, stream: str, name: str, payload: Payload, request: Request) -> bool:
        version, sent = await self._look(stream, request)
        if version == -1:
            raise UnknownInstance(stream)
        if sent is not None:
            if sent.metadata.digest != request.digest:
                raise CommandIdReused(stream, request.command_id)
            return False
        signal = SagaSignalled(name=name, payload=payload)
        await self._streams.append(stream, version, [self._codec.encode(signal, request.metadata(signal))])
        return True

    async def _look(self, stream: str, request: Request) -> tuple[int, Recorded[Any] | None]:
        """The version of the stream's last record, -1 where there is none, and the signal that the request left."""
        version, sent = -1, None
        while page := await self._streams.records(stream, version + 1, PAGE):
            sent = next((each for record in page for each in self._signals_in(record, request)), sent)
            version = page[-1].version
            if len(page) < PAGE:
                break
        return version, sent

    def _signals_in(self, record: Record, request: Request) -> list[Recorded[Any]]:
        if record.type not in SagaSignalled.stored_names() or self._codec.command_id_in(record) != request.command_id:
            return []
        return self._codec.events_in(record)
