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
    """Of one saga. Where it has a rule for late messages, one counts once, by what it left in the instance's stream.

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
        if ending is None or not ending.counts_messages:
            return _observe(run)
        if await self._holds(run, run.observation().command_id):
            return []
        return _counted(run, ending)

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


def _counted(run: Run, ending: Ending[Any, Any]) -> Sequence[Event]:
    """A message that leaves nothing now must not begin another run when it is delivered again after this one."""
    facts = _observe(run) if run.instance.over is None else _observed_late(run, ending)
    return facts or ([SagaMessageTaken(message_id=run.place.message_id)] if ending.begins_again else [])


def _observed_late(run: Run, ending: Ending[Any, Any]) -> Sequence[Event]:
    facts = _observe(run) if ending.begins_again or ending.late == "observe" else []
    begins = any(isinstance(fact, ending.begins_again) for fact in facts)
    return facts if begins or ending.late == "observe" else _late(run, ending)


def _late(run: Run, ending: Ending[Any, Any]) -> Sequence[Event]:
    if ending.on_late is not None:
        return ending.on_late(run.message.event, run.instance.state)
    return [SagaMessageLate(**run.place._asdict())] if ending.late == "record" else []
