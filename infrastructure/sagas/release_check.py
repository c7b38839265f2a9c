"""Replays every open history of a saga that a store holds with this build's code, before that is released."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID

from domain.decider import Decider
from domain.message import Command, Recorded
from domain.saga import Saga
from domain.stream_name import StreamName, stream_name
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UNREADABLE, StoreUnavailable, StreamGone
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.sagas.filters import pattern_of_events
from infrastructure.sagas.replay import Answer, Finding, Replay, Turn, answered, described, names, unanswered
from infrastructure.sagas.target_effects import TargetEffects

_AT_ONCE: Final = 16
_SCAN_SECONDS: Final = 120.0
T = TypeVar("T")


@dataclass(slots=True)
class Counted:
    """How many instances there are, how many are open, and how many stored turns and pending commands were compared."""

    instances: int = 0
    open: int = 0
    turns: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Facts of an instance that no answer explains: a message must."""

    stream: str
    prefix: int


@dataclass(slots=True)
class ReleaseCheck:
    """Of one saga. Instances are found by their first events: memory holds a page of them.

    Of each open instance, one more entry for each message that it must have heard is kept until the messages are read.
    All of it raises StoreUnavailable.
    """

    saga: Saga[Any, Any]
    route: Callable[[Command], Decider[Any, Any, Any]]
    streams: Streams
    log: Log
    codec: EventCodec
    counted: Counted = field(default_factory=Counted)
    _unexplained: dict[UUID, list[Unexplained]] = field(default_factory=dict)
    _effects: TargetEffects = field(init=False)

    def __post_init__(self) -> None:
        self._effects = TargetEffects(self.streams, self.codec)

    async def findings(self) -> AsyncIterator[list[Finding]]:
        """What would be decided otherwise: a list after each page, so that progress can be told between them."""
        async for page in self._pages(category_pattern([self.saga.category])):
            looks = await self._all(self._look, [record.stream for record in page if record.version == 0])
            replays = [look for look in looks if isinstance(look, Replay)]
            answers = await self._answers(replays)
            yield [look for look in looks if isinstance(look, Finding)]
            yield [finding for replay in replays for finding in self._differences(replay, answers)]
        if self._unexplained:
            async for records in self._messages():
                yield [finding for findings in await self._all(self._message, records) for finding in findings]
        for left in self._unexplained.values():
            yield [finding for each in left for finding in await self._never_heard(each)]

    async def _pages(self, pattern: str) -> AsyncIterator[list[Record]]:
        position, complete = None, False
        while not complete:
            page, complete = await self.log.following(pattern, position, PAGE, _SCAN_SECONDS)
            position = page[-1].position if page else position
            yield page

    async def _messages(self) -> AsyncIterator[list[Record]]:
        """The records of messages for which facts are unexplained, page by page."""
        pattern, position = pattern_of_events(self.saga.woken_by), None
        while page := await self.log.of_types(pattern, position, PAGE, _SCAN_SECONDS):
            yield [record for record in page if record.id in self._unexplained]
            if len(page) < PAGE or page[-1].position == position or not self._unexplained:
                return
            position = page[-1].position

    async def _all(self, read: Callable[..., Awaitable[T]], each: Sequence[Any]) -> list[T]:
        """What reading each of them gives, some at once."""
        found: list[T] = []
        for first in range(0, len(each), _AT_ONCE):
            found += await asyncio.gather(*map(read, each[first : first + _AT_ONCE]))
        return found

    async def _look(self, stream: str) -> Replay | Finding | None:
        """An open instance, or why it can't be replayed; None for one that has ended."""
        self.counted.instances += 1
        try:
            replay = await self._replayed(stream)
        except UNREADABLE as error:
            return Finding(stream, error.version, "unreadable", str(error), "can't be folded")
        except StreamGone:
            return None
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the code raises is what it would do
            return Finding(stream, 0, "command", "a history of facts", f"this build can't fold it: {error!r}")
        if not replay.is_open:
            return None
        self.counted.open += 1
        if replay.lacks is not None:
            has = f"this build has {', '.join(f'version {number}' for number in self.saga.versions)}"
            return Finding(stream, replay.instance.version + 1, "version", f"runs on {replay.lacks}", has)
        return replay

    async def _replayed(self, stream: str, until: int | None = None) -> Replay:
        """The instance, or its first events only. Raises as `Instance.take`."""
        told: list[Recorded[Any]] = []
        while page := await self.streams.page(stream, told[-1].version + 1 if told else 0):
            told += page
            if len(page) < PAGE or (until is not None and told[-1].version > until):
                break
        replay = Replay(self.saga, stream)
        replay.take(told)  # at once: events that were stored together are not to be torn apart
        return replay

    def _differences(self, replay: Replay, left: Mapping[UUID, Sequence[Answer]]) -> list[Finding]:
        stream = replay.instance.stream
        answers = [answer for cause in replay.places for answer in left.get(cause, ())]
        self.counted.turns += len(replay.turns)
        self.counted.pending += len(replay.asked)
        findings = unanswered(replay, answers)
        for turn in replay.turns:
            if turn.cause in replay.places:
                continue  # what the engine noted led to it, such as a deadline that has passed
            explained, finding = answered(turn, answers, stream)
            findings += [] if finding is None else [finding]
            if not explained:
                self._unexplained.setdefault(turn.cause, []).append(Unexplained(stream, turn.prefix))
        return findings

    async def _answers(self, replays: Sequence[Replay]) -> Mapping[UUID, Sequence[Answer]]:
        """What commands of these instances left in the streams that this build would have asked, by their causes.

        A stream that many of them asked is read once for all, and a long one once for all pages of instances.
        """
        since: dict[str, int] = {}
        causes = frozenset(str(cause).encode() for replay in replays for cause in replay.places)
        for replay in replays:
            tenant = StreamName.parse(replay.instance.stream).tenant
            for each in (*(asked for turn in replay.turns for asked in turn.asked), *replay.asked):
                command = each.ask.command
                target = stream_name(self.route(command).category, command.aggregate_id, tenant)
                since[target] = min(each.since, since.get(target, each.since))
        left: dict[UUID, list[Answer]] = {}
        for answers in await self._all(
            lambda target: self._effects.left_in(target, since[target], causes), list(since)
        ):
            for answer in answers:
                left.setdefault(answer.cause, []).append(answer)
        return left

    async def _message(self, record: Record) -> list[Finding]:
        heard = self._unexplained.pop(record.id)
        try:
            messages = self.codec.events_in(record)
        except UNREADABLE as error:
            return [Finding(each.stream, each.prefix, "unreadable", str(error), "can't be heard") for each in heard]
        return [finding for each in heard for finding in await self._heard(each, messages)]

    async def _heard(self, facts: Unexplained, messages: Sequence[Recorded[Any]]) -> list[Finding]:
        """What differs in what these messages, those of one record, led the instance to."""
        if (turn := await self._turn(facts)) is None:
            return []
        tenant = StreamName.parse(facts.stream).tenant
        for message in messages:
            if not any(message.event.stored_name in event.stored_names() for event in self.saga.woken_by):
                continue
            meant = stream_name(self.saga.category, self.saga.instance_of(message.event), tenant)
            if meant == facts.stream and turn.facts_of_message(message.event) is None:
                return []
        told = [turn.facts_of_message(message.event) or "of another instance" for message in messages]
        recorded = f"{names(turn.facts)} for {', '.join(message.event.stored_name for message in messages)}"
        return [Finding(facts.stream, facts.prefix, "facts", recorded, ", ".join(told))]

    async def _never_heard(self, facts: Unexplained) -> list[Finding]:
        """Facts whose cause is no message, and no answer to anything that this build would have asked by then."""
        if (turn := await self._turn(facts)) is None:
            return []
        recorded = f"{names(turn.facts)} for the event {turn.cause}"
        return [Finding(facts.stream, facts.prefix, "command", recorded, described(turn.asked))]

    async def _turn(self, facts: Unexplained) -> Turn | None:
        """The turn in which they were stored; None where the stream has been deleted since."""
        replay = await self._replayed(facts.stream, facts.prefix)
        return next((turn for turn in replay.turns if turn.prefix == facts.prefix), None)
