"""A saga in memory: its instances ask the real deciders, over streams that are lists."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import NAMESPACE_OID, UUID, uuid5

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command, Event
from domain.reply import StoredReply
from domain.saga import Ask, Saga

Deciders: TypeAlias = Mapping[type[Command], Decider[Any, Any, Any]]
CommandId: TypeAlias = tuple[str, int, str]  # the instance, since which of its events it is pending, the step


def answer_id(command: CommandId) -> UUID:
    """The id of the last event that a command left."""
    return uuid5(NAMESPACE_OID, repr(command))


@dataclass
class Simulation:
    """Streams by name, and what each of the saga's commands left, as the log would still tell."""

    saga: Saga[Any, Any]
    deciders: Deciders
    streams: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[CommandId, StoredReply] = field(default_factory=dict)
    asked: list[Command] = field(default_factory=list)

    def send(self, command: Command) -> list[Event]:
        """What a person's command does; raises what the decider refuses."""
        decider = self.deciders[type(command)]
        stream = self.streams[f"{decider.category}-{command.aggregate_id}"]
        events: list[Event] = decider.decide(command, decider.fold(stream))
        stream.extend(events)
        return events

    def try_to(self, command: Command) -> None:
        """The same where a refusal is as good."""
        try:
            self.send(command)
        except Rejected:
            return

    def messages(self, instance: str) -> list[Event]:
        """All that was said to the instance until now, in the order of each stream."""
        events = [event for stream in self.streams.values() for event in stream]
        heard = [event for event in events if isinstance(event, self.saga.reacts_to)]
        return [event for event in heard if self.saga.identify(event) == instance]

    def deliver(self, instance: str) -> None:
        """All that was said to the instance reaches it, for the first time or again."""
        for message in self.messages(instance):
            self.hear(instance, message)

    def hear(self, instance: str, message: Event) -> None:
        own = self.own(instance)
        own.extend(self.saga.observe(message, self.fold(own)))

    def pending(self, instance: str, length: int | None = None) -> Sequence[Ask]:
        """What is to be asked now, or was when the instance's stream had this length."""
        steps = self.saga.pending(self.fold(self.own(instance)[:length]))
        return [step for step in steps if isinstance(step, Ask)]

    def ask(self, instance: str, *, length: int | None = None, which: int = 0) -> tuple[Ask, StoredReply] | None:
        """Asks one that is pending, under an id drawn from the event since which it is; a repeat changes nothing.

        With a `length` it is a worker that still holds an old state who asks.
        """
        pending = self.pending(instance, length)
        if not pending:
            return None
        ask = pending[which % len(pending)]
        key = (instance, self._since(instance, ask.step, length), ask.step)
        if key not in self.answers:
            self.answers[key] = StoredReply(self.send(ask.command), answer_id(key))
            self.asked.append(ask.command)
        return ask, self.answers[key]

    def _since(self, instance: str, step: str, length: int | None) -> int:
        since = len(self.own(instance)[:length])
        while since > 0 and step in {ask.step for ask in self.pending(instance, since - 1)}:
            since -= 1
        return since

    def step(self, instance: str, which: int = 0) -> bool:
        """Asks one that is pending and stores the answer; whether anything was pending."""
        asked = self.ask(instance, which=which)
        if asked is not None:
            self.reply(instance, *asked)
        return asked is not None

    def reply(self, instance: str, ask: Ask, answer: Sequence[Event]) -> None:
        own = self.own(instance)
        own.extend(self.saga.on_reply(ask, answer, self.fold(own)))

    def recall(self, instance: str, why: str) -> None:
        """An operator has it undone."""
        assert self.saga.on_compensate is not None
        own = self.own(instance)
        own.extend(self.saga.on_compensate(why, self.fold(own)))

    def deadlines(self, instance: str) -> list[str]:
        """The names of those that the instance's state declares."""
        return [deadline.name for deadline in self.saga.deadlines(self.fold(self.own(instance)))]

    def pass_deadline(self, instance: str) -> bool:
        """The first of its deadlines passes; whether there was any."""
        own = self.own(instance)
        for name in self.deadlines(instance)[:1]:
            own.extend(self.saga.on_deadline(name, self.fold(own)))
            return True
        return False

    def run(self, instance: str) -> None:
        """From what was said to it to where nothing is pending, which must come."""
        self.deliver(instance)
        for _ in range(1_000):
            if not self.step(instance):
                return
        raise AssertionError(f"{self.saga.category} {instance} does not end: {self.own(instance)[-3:]}")

    def own(self, instance: str) -> list[Event]:
        """The instance's stream."""
        return self.streams[f"{self.saga.category}-{instance}"]

    def fold(self, events: Sequence[Event]) -> Any:
        state: Any = self.saga.initial
        for event in events:
            state = self.saga.evolve(state, event)
        return state
