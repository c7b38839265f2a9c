"""Says words to the instances of a saga: events from outside in their streams, each said once per command id."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

from domain.engine_events import ENGINE_NAMES
from domain.message import Event, Recorded
from domain.saga import Saga
from infrastructure.commands.request import Outcome, Request
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import CommandIdReused, UnreadableEvent, VersionMismatch, WrongExpectedVersion
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.sagas.errors import UnknownInstance
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.quarantine_state import Standing, evolve
from infrastructure.sagas.rivalry import repeatedly


class Reading:
    """All that an instance's stream holds. What the engine noted is known also where the saga's code fails at it.

    `said` is what a request left there before. `asked` are all steps that were ever pending. `fault` is why the
    instance can't be folded.
    """

    def __init__(self, saga: Saga[Any, Any], stream: str) -> None:
        self.saga: Final = saga
        self.stream: Final = stream
        self.last: Record | None = None
        self.standing = Standing()
        self.said: list[Recorded[Any]] = []
        self.asked: set[str] = set()
        self.fault: Exception | None = None
        self._instance: Final[Instance[Any]] = Instance(saga, stream)
        self._has_ended = False

    @property
    def version(self) -> int:
        """Of the last record, -1 where there is none."""
        return -1 if self.last is None else self.last.version

    @property
    def instance(self) -> Instance[Any]:
        """The instance. Raises what kept it from being folded."""
        if self.fault is not None:
            raise self.fault
        return self._instance

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is to come, as the saga declares it; else: whether nothing is pending. Raises as
        `instance`, where that must be folded for it, and CodeMissing."""
        if self.saga.ending is not None:
            return self._has_ended
        instance = self.instance
        waits = instance.saga.awaits(instance.state) or instance.timers.open
        return not (instance.pending or instance.undo or waits)

    def take(self, record: Record, codec: EventCodec, request: Request | None) -> None:
        """The next record. Raises what a note of the engine's that can't be read raises."""
        self.last = record
        if self.saga.ending is not None:
            self._has_ended = self.saga.ending.is_over(record.type, self._has_ended)
        if record.type in ENGINE_NAMES:
            for noted in codec.events_in(record):
                self.standing = evolve(self.standing, noted.event)
        if request is not None and _is_left_by(request, record, codec):
            self.said += codec.events_in(record)
        if self.fault is None:
            self._fold(record, codec)

    def _fold(self, record: Record, codec: EventCodec) -> None:
        try:
            self._instance.take(codec.events_in(record))
            self.asked |= self._instance.causes.keys()
        except Exception as error:  # noqa: BLE001 - for an instance that stopped at it; who needs the state is told
            self.fault = error


def _is_left_by(request: Request, record: Record, codec: EventCodec) -> bool:
    """A record without any command's id, whoever wrote it, is nobody's."""
    try:
        return codec.command_id_in(record) == request.command_id
    except UnreadableEvent:
        return False


Decide: TypeAlias = Callable[[Reading], Awaitable[Sequence[Event]]]


class Words:
    """To the instances of one saga."""

    def __init__(self, saga: Saga[Any, Any], streams: Streams, codec: EventCodec) -> None:
        self._saga: Final = saga
        self._streams: Final = streams
        self._codec: Final = codec

    async def say(self, stream: str, request: Request, decide: Decide) -> tuple[Outcome, Reading]:
        """Appends what is decided on the stream as it is read, together; what it was before comes along.

        A repeat finds what was said, and decides nothing. No events are an answer, too.

        Raises, in this order: CommandIdReused, UnknownInstance, VersionMismatch, what `decide` raises; then
        ConcurrencyConflict, StoreUnavailable, and what a stream that can't be read or appended to raises.
        """
        return await repeatedly(stream, self._say, stream, request, decide)

    async def _say(self, stream: str, request: Request, decide: Decide) -> tuple[Outcome, Reading]:
        reading = await self.read(stream, request)
        if reading.said:
            return _repeated(reading, request), reading
        last = reading.last
        if last is None:
            raise UnknownInstance(stream)
        if request.if_version is not None and request.if_version != last.version:
            raise VersionMismatch(stream, request.if_version, last.version)
        events = tuple(await decide(reading))
        if not events:
            return Outcome(stream, (), last.version, last.position or 0, last.id, repeated=False), reading
        records = [self._codec.encode(event, request.metadata(event)) for event in events]
        appended = await self._streams.append(stream, last.version, records)
        if appended.version != last.version + len(events) or appended.position is None:
            raise WrongExpectedVersion(stream, None)  # they stand elsewhere, as after a deletion
        done = Outcome(stream, events, appended.version, appended.position, appended.last_id, repeated=False)
        return done, reading

    async def read(self, stream: str, request: Request | None = None) -> Reading:
        """What the stream holds. Raises StoreUnavailable, StreamGone, and for a note that can't be read."""
        reading = Reading(self._saga, stream)
        while page := await self._streams.records(stream, reading.version + 1, PAGE):
            for record in page:
                reading.take(record, self._codec, request)
            if len(page) < PAGE:
                break
        return reading


def _repeated(reading: Reading, request: Request) -> Outcome:
    last = reading.said[-1]
    if any(said.metadata.digest != request.digest for said in reading.said):
        raise CommandIdReused(reading.stream, request.command_id)
    events = tuple(said.event for said in reading.said)
    return Outcome(reading.stream, events, last.version, last.position, last.id, repeated=True)
