"""A shop in memory: fulfilments that ask the real deciders, over streams that are lists."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, get_args

from domain.accounts.account import AccountCommand
from domain.accounts.account import decider as accounts
from domain.decider import Decider
from domain.errors import Rejected
from domain.fulfilment.saga import saga
from domain.message import Command, Event
from domain.ordering.events import OrderConfirmed
from domain.ordering.order import OrderCommand
from domain.ordering.order import decider as orders
from domain.saga import Ask
from domain.stock.stock import StockCommand
from domain.stock.stock import decider as stocks

DECIDERS: Final[dict[type[Command], Decider[Any, Any, Any]]] = {
    **dict.fromkeys(get_args(OrderCommand), orders),
    **dict.fromkeys(get_args(AccountCommand), accounts),
    **dict.fromkeys(get_args(StockCommand), stocks),
}
CommandId: TypeAlias = tuple[str, int, str]  # the fulfilment's stream, how long it was, the step


@dataclass
class Shop:
    """Streams by name, and what each of a fulfilment's commands left, as the log would still tell."""

    streams: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[CommandId, list[Event]] = field(default_factory=dict)
    asked: list[Command] = field(default_factory=list)

    def send(self, command: Command) -> list[Event]:
        """What a person's command does; raises what the decider refuses."""
        decider = DECIDERS[type(command)]
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

    def deliver(self, order_id: str) -> None:
        """The confirmation, if there was one, reaches the fulfilment, for the first time or again."""
        for event in self.streams[f"order-{order_id}"]:
            if isinstance(event, OrderConfirmed):
                own = self.own(order_id)
                own.extend(saga.observe(event, self.fold(own)))

    def pending(self, order_id: str, length: int | None = None) -> Sequence[Ask]:
        """What is to be asked now, or was when the fulfilment's stream had this length."""
        steps = saga.pending(self.fold(self.own(order_id)[:length]))
        return [step for step in steps if isinstance(step, Ask)]

    def ask(self, order_id: str, *, length: int | None = None) -> tuple[Ask, list[Event]] | None:
        """Asks what is pending, under an id drawn from the fulfilment's last event; a repeat changes nothing.

        With a `length` it is a worker that still holds an old state who asks.
        """
        for ask in self.pending(order_id, length):
            key = (order_id, len(self.own(order_id)[:length]), ask.step)
            if key not in self.answers:
                self.answers[key] = self.send(ask.command)
                self.asked.append(ask.command)
            return ask, self.answers[key]
        return None

    def step(self, order_id: str) -> bool:
        """Asks what is pending and stores the answer; whether anything was pending."""
        asked = self.ask(order_id)
        if asked is not None:
            self.reply(order_id, *asked)
        return asked is not None

    def reply(self, order_id: str, ask: Ask, answer: Sequence[Event]) -> None:
        own = self.own(order_id)
        own.extend(saga.on_reply(ask, answer, self.fold(own)))

    def recall(self, order_id: str, why: str) -> None:
        """An operator has it undone; nothing that was asked is unanswered."""
        assert saga.on_compensate is not None
        own = self.own(order_id)
        own.extend(saga.on_compensate(why, self.fold(own)))

    def run(self, order_id: str) -> None:
        """From the confirmation to the end, which must come."""
        self.deliver(order_id)
        for _ in range(1_000):
            if not self.step(order_id):
                return
        raise AssertionError(f"the fulfilment of {order_id} does not end: {self.own(order_id)[-3:]}")

    def own(self, order_id: str) -> list[Event]:
        """The fulfilment's stream."""
        return self.streams[f"{saga.category}-{order_id}"]

    def fold(self, events: Sequence[Event]) -> Any:
        state: Any = saga.initial
        for event in events:
            state = saga.evolve(state, event)  # type: ignore[arg-type]  # the stream holds the saga's events only
        return state
