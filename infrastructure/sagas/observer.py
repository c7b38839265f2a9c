"""What an instance has to store of a message: what the saga observes of it, or what is declared for a late one."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from domain.engine_events import SagaMessageLate, SagaMessageTaken
from domain.message import Event
from domain.saga_end import Ending
from infrastructure.commands.request import Request
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.sagas.run import Run


class Observer:
    """Of one saga. Where its end is declared, a message counts once, by what it left in the instance's stream.

    Else the saga alone knows what it holds already.
    """

    def __init__(self, streams: Streams, codec: EventCodec) -> None:
        self._streams: Final = streams
        self._codec: Final = codec

    async def observed(self, run: Run) -> tuple[Request, Sequence[Event]]:
        """The facts, and on whose behalf they are stored. Raises what the saga does, and reading the stream."""
        ending = run.instance.saga.ending
        if run.is_word:
            return run.observation(), []
        if ending is None:
            return run.observation(), self._observe(run)
        if await self._is_taken(run):
            return run.observation(), []
        if type(run.message.event) in ending.begins_again:
            return self._begun(run)
        return self._late(run, ending) if ending.ended(run.instance.state) else (run.observation(), self._observe(run))

    def _observe(self, run: Run) -> list[Event]:
        return run.instance.saga.observe(run.message.event, run.instance.state)

    def _begun(self, run: Run) -> tuple[Request, Sequence[Event]]:
        """A message that begins nothing now must not begin another run when it is delivered again after this one."""
        facts = self._observe(run)
        note = SagaMessageTaken(message_id=run.place.message_id)
        return (run.observation(), facts) if facts else (run.note(note), [note])

    def _late(self, run: Run, ending: Ending[Any, Any]) -> tuple[Request, Sequence[Event]]:
        if ending.on_late is not None:
            return run.observation(), ending.on_late(run.message.event, run.instance.state)
        note = SagaMessageLate(**run.place._asdict())
        return run.note(note), [note] if ending.late == "record" else []

    async def _is_taken(self, run: Run) -> bool:
        """Whether the stream holds what the message led to."""
        notes = SagaMessageLate(**run.place._asdict()), SagaMessageTaken(message_id=run.place.message_id)
        requests = (run.observation(), *(run.note(note) for note in notes))
        return any([await self._holds(run, request.command_id) for request in requests])

    async def _holds(self, run: Run, command_id: UUID) -> bool:
        instance = run.instance
        if command_id in instance.commands.recent:
            return True
        places = instance.commands.places(command_id, instance.version)
        return any([await self._is_in(instance.stream, versions, command_id) for versions in places])

    async def _is_in(self, stream: str, versions: range, command_id: UUID) -> bool:
        for first in range(versions.start, versions.stop, PAGE):
            records = await self._streams.records(stream, first, min(PAGE, versions.stop - first)) or []
            if any(self._codec.command_id_in(record) == command_id for record in records):
                return True
        return False
