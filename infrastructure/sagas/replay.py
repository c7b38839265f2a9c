"""Folds the history of an instance with this build's code, and keeps at each prefix what that would decide there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID, uuid5

from domain.engine_events import ENGINE_EVENTS, SagaStepSkipped
from domain.message import Event, Recorded
from domain.reply import StoredReply
from domain.saga import Ask, Saga
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.run import digest_of

Difference: TypeAlias = Literal["version", "command", "facts", "deadline", "message", "unreadable"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Where this build lacks a version or would decide otherwise: after the first `prefix` events of an instance.

    `recorded` is what the history shows, `today` what this build would do.
    """

    instance: str
    prefix: int
    what: Difference
    recorded: str
    today: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is pending, the id of its command, and the position of the event since which it is."""

    ask: Ask
    command_id: UUID
    since: int

    def __str__(self) -> str:
        return f"{self.ask.step} ({type(self.ask.command).__name__} {self.command_id})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command of the instance's left in a target's stream, and the event of the instance that caused it."""

    stream: str
    cause: UUID
    command_id: UUID
    digest: str
    last_id: UUID
    events: tuple[Event, ...]

    def __str__(self) -> str:
        return f"{', '.join(event.stored_name for event in self.events)} in {self.stream} by command {self.command_id}"


@dataclass(frozen=True, slots=True)
class Turn:
    """Facts that were stored at once, after `prefix` events and for the event `cause`; what was pending before them.

    Facts that directly precede may have been stored in the same append, as those of a round are: what was pending
    before these, and is not after them, is `beside`.
    """

    prefix: int
    cause: UUID
    facts: tuple[Event, ...]
    asked: tuple[Asked, ...]
    state: Any
    saga: Saga[Any, Any]
    beside: tuple[Asked, ...] = ()

    def facts_of(self, asked: Asked, answer: Answer) -> str | None:
        """What this build makes of the answer, where that is not what was stored."""
        return self._unless_equal(self.saga.on_reply, asked.ask, StoredReply(answer.events, answer.last_id), self.state)

    def facts_of_message(self, message: Event) -> str | None:
        """The same of a message."""
        if not self.saga.wakes_at(message):
            return "is not woken by it"
        return self._unless_equal(self.saga.observe, message, self.state)

    def _unless_equal(self, decide: Any, *told: Any) -> str | None:
        try:
            today = decide(*told)
        except Exception as error:  # noqa: BLE001 - whatever the code raises is what it would do
            return repr(error)
        return None if today == list(self.facts) else names(today)


class Replay:
    """One instance, event by event from its beginning. What a build that lacks its code can't tell is left out.

    What an operator left in place of an answer is taken as it is; `skipped` are the commands that it stands for.
    """

    def __init__(self, saga: Saga[Any, Any], stream: str) -> None:
        self.instance: Final[Instance[Any]] = Instance(saga, stream)
        self.turns: Final[list[Turn]] = []
        self.skipped: Final[set[UUID]] = set()
        self._saga: Final = saga
        self.places: Final[dict[UUID, Recorded[Any]]] = {}

    def take(self, recorded: Iterable[Recorded[Any]]) -> None:
        """The next events. Raises as `Instance.take`."""
        for _, together in groupby(recorded, lambda each: each.metadata.command_id):
            self._take_together(list(together))

    @property
    def lacks(self) -> str | None:
        """What of the instance's code this build lacks."""
        return self.instance.code.lacking_in(self._saga)

    @property
    def asked(self) -> tuple[Asked, ...]:
        """What is asked of others in this store now; nothing where the code is lacking."""
        if self.lacks is not None:
            return ()
        causes = self.instance.causes
        asks = (ask for ask in self.instance.pending if isinstance(ask, Ask) and ask.step in causes)
        return tuple(self._asked(ask, causes[ask.step]) for ask in asks)

    @property
    def is_open(self) -> bool:
        """Whether something is still to come: where the saga says which events end it, these tell, and what is asked
        for a message that came later.

        Else it is what is pending; of a version that this build lacks, what would be in the newest.
        """
        standing = self.instance.standing
        if standing.stands_still or standing.waiting or self.instance.undo is not None:
            return True
        if self._saga.ending is not None:
            return self.instance.over is None or bool(self.asked)
        return bool((self._saga if self.lacks is not None else self.instance.saga).pending(self.instance.state))

    def _take_together(self, recorded: Sequence[Recorded[Any]]) -> None:
        facts = tuple(each.event for each in recorded if not isinstance(each.event, ENGINE_EVENTS))
        skipped = [each.event.step for each in recorded if isinstance(each.event, SagaStepSkipped)]
        causes = self.instance.causes
        self.skipped.update(uuid5(causes[step], step) for step in skipped if step in causes)
        if facts and not skipped and self.lacks is None:
            first, saga = recorded[0], self._deciding(recorded)
            told = (first.version, first.metadata.causation_id, facts, self.asked, self.instance.state)
            self.turns.append(Turn(*told, saga, self._beside(first.version)))
        for each in recorded:
            self.places[each.id] = each
            self.instance.take([each])

    def _beside(self, prefix: int) -> tuple[Asked, ...]:
        last = self.turns[-1] if self.turns else None
        if last is None or last.prefix + len(last.facts) != prefix:
            return ()
        pending = {asked.command_id for asked in self.asked}
        return tuple(asked for asked in (*last.asked, *last.beside) if asked.command_id not in pending)

    def _deciding(self, recorded: Sequence[Recorded[Any]]) -> Saga[Any, Any]:
        """The version that stored these: the one that they begin, where they begin the instance."""
        code = self.instance.code
        for each in recorded:
            code = code.after(each.event)
        return self._saga.versions.get(code.version or self._saga.version, self._saga)

    def _asked(self, ask: Ask, cause: UUID) -> Asked:
        place = self.places.get(cause)
        return Asked(ask, uuid5(cause, ask.step), 0 if place is None else place.position)


def answered(turn: Turn, answers: Iterable[Answer], instance: str) -> tuple[bool, Finding | None]:
    """Whether the turn's cause is an answer to a command of the instance's; and what this build would do otherwise."""
    answer = next((answer for answer in answers if answer.last_id == turn.cause), None)
    if answer is None:
        return False, None
    pending = (*turn.asked, *turn.beside)
    asked = next((asked for asked in pending if asked.command_id == answer.command_id), None)
    if asked is None or answer.digest != digest_of(asked.ask):
        return True, Finding(instance, turn.prefix, "command", str(answer), described(turn.asked))
    today = turn.facts_of(asked, answer)
    told = f"{names(turn.facts)} for {asked.ask.step}"
    return True, None if today is None else Finding(instance, turn.prefix, "facts", told, today)


def unanswered(replay: Replay, answers: Iterable[Answer]) -> list[Finding]:
    """What was sent and has not been heard of yet, and is pending in this build no more, or is another command.

    It would be lost, or refused for ever.
    """
    stream, today = replay.instance.stream, described(replay.asked)
    heard = {turn.cause for turn in replay.turns}
    pending = {asked.command_id: digest_of(asked.ask) for asked in replay.asked}
    unheard = [each for each in answers if each.last_id not in heard and each.command_id not in replay.skipped]
    lost = [each for each in unheard if pending.get(each.command_id) != each.digest]
    return [Finding(stream, replay.places[each.cause].version + 1, "command", str(each), today) for each in lost]


def described(asked: Sequence[Asked]) -> str:
    """What is pending, in words."""
    return f"pending: {', '.join(map(str, asked))}" if asked else "nothing pending"


def names(events: Sequence[Event]) -> str:
    """The names of events, with what they say."""
    return ", ".join(map(repr, events)) or "no event"
