"""What an instance has to store of a message: what the saga observes of it, or what is declared for a late one."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from domain.engine_events import SagaMessageLate, SagaMessageTaken
from domain.message import Event
from domain.saga_end import Ending
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

    async def observed(self, run: Run) -> Sequence[Event]:
        """What is to be stored, under the ids of the run's observation. Raises what the saga does, and reading."""
        ending = run.instance.saga.ending
        if run.is_word:
            return []
        if ending is None:
            return _observe(run)
        if await self._holds(run, run.observation().command_id):
            return []
        if type(run.message.event) in ending.begins_again:
            return _begun(run)
        return _late(run, ending) if ending.ended(run.instance.state) else _observe(run)

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


def _observe(run: Run) -> Sequence[Event]:
    return run.instance.observe(run.message.event)


def _begun(run: Run) -> Sequence[Event]:
    """A message that begins nothing now must not begin another run when it is delivered again after this one."""
    return _observe(run) or [SagaMessageTaken(message_id=run.place.message_id)]


def _late(run: Run, ending: Ending[Any, Any]) -> Sequence[Event]:
    if ending.on_late is not None:
        return ending.on_late(run.message.event, run.instance.state)
    return [SagaMessageLate(**run.place._asdict())] if ending.late == "record" else []
