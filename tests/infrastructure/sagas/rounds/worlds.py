"""What happens in a round: a few instances of sagas, in one of several shapes, and what people do beside them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import reduce
from random import Random
from typing import Any, Final, Protocol
from uuid import uuid4

from domain.accounts.account import Account, AccountCharged, ChargeRefunded
from domain.accounts.account import decider as accounts
from domain.deadline import Deadline
from domain.decider import Decider
from domain.errors import DomainError
from domain.fulfilment.saga import first as first_fulfilment
from domain.fulfilment.saga import saga as fulfilment
from domain.message import Command
from domain.ordering.events import OrderCancelled, OrderShipped
from domain.saga import Saga
from domain.signal import Payload, Signal
from domain.stock.stock import ReservationConsumed
from domain.stock.stock import decider as stocks
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.sagas.errors import UnknownInstance
from infrastructure.sagas.signal_box import SignalBox
from service.consumers import route as service_route
from service.history.sources import CODEC
from tests.domain.values import money
from tests.infrastructure.sagas.errand import Errand, ErrandEvent, ErrandExtended, Errands, ThingMissing, request
from tests.infrastructure.sagas.errand_builds import pending_in_second
from tests.infrastructure.sagas.live_orders import PATIENT, LiveOrder, patient_handler
from tests.infrastructure.sagas.outing import Outings, PlanOuting, leg_id
from tests.infrastructure.sagas.patient_errand import PATIENCE, WORD
from tests.infrastructure.sagas.rounds.judge import Streams
from tests.infrastructure.sagas.shelf import PutBack, Stock, Taken, TakingDeclined, shelf


class World(Protocol):
    """The `builds` are releases that work side by side, the newest last: the sagas of each."""

    @property
    def codec(self) -> EventCodec: ...

    @property
    def builds(self) -> Sequence[Sequence[Saga[Any, Any]]]: ...

    def route(self, command: Command) -> Decider[Any, Any, Any]: ...

    async def begin(self, client: CommandClient, random: Random) -> Sequence[str]:
        """Everything is asked for; the streams of all instances, and of all that they ask."""

    async def meddle(self, client: CommandClient, random: Random) -> None:
        """What somebody does while the sagas are under way."""

    def faults(self, streams: Streams) -> list[str]:
        """What is not accounted for at the end, in words."""


class Orders:
    """Orders on two versions of the fulfilment; some have too little of something, some are cancelled."""

    codec = CODEC
    builds = ((first_fulfilment,), (fulfilment,))

    def __init__(self, tag: str) -> None:
        self._orders: list[LiveOrder] = []

    def route(self, command: Command) -> Decider[Any, Any, Any]:
        return service_route(command)

    async def begin(self, client: CommandClient, random: Random) -> Sequence[str]:
        handler = patient_handler(client)
        self._orders = [LiveOrder(handler) for _ in range(3)]
        for order in self._orders:
            short = random.choice(({}, {}, {"desks": 0}, {"lamps": 0}, {"balance": "1.00"}))
            await order.begin(**short)
        return [stream for order in self._orders for stream in (order.stream, *order.targets)]

    async def meddle(self, client: CommandClient, random: Random) -> None:
        with suppress(DomainError):  # it was shipped already
            await random.choice(self._orders).cancel()

    def faults(self, streams: Streams) -> list[str]:
        return [fault for order in self._orders for fault in _faults_of_order(order, streams)]


def _faults_of_order(order: LiveOrder, streams: Streams) -> list[str]:
    told = {stream: [each.event for each in streams[stream]] for stream in order.targets}
    done = Counter(type(event) for events in told.values() for event in events)
    ends = (done[OrderShipped], done[OrderCancelled])
    kept = (done[AccountCharged] - done[ChargeRefunded], done[ReservationConsumed])
    held = [stocks.fold(told[stream]).held for stream in order.targets[2:]]
    account = accounts.fold(told[order.targets[1]])
    paid = [event.amount for event in told[order.targets[1]] if isinstance(event, AccountCharged)]
    expected = {(1, 0): (1, 2), (0, 1): (0, 0)}.get(ends)
    fine = held == [{}, {}] and kept == expected and done[AccountCharged] <= 1 and isinstance(account, Account)
    return [] if fine and paid in ([], [money("40.00")]) else [f"{order.stream}: {done}, {held}, {account}"]


SIGNAL: Final = Signal("extend")


def _is_waiting(errand: Errand) -> bool:
    return len(errand.asked) == 2 and not errand.ahead and not errand.undoing


def _awaits(errand: Errand) -> Sequence[str]:
    return [SIGNAL.name] if _is_waiting(errand) else []


def _on_signal(name: str, payload: Payload, errand: Errand) -> list[ErrandEvent]:
    return [ErrandExtended(shelves=tuple(payload["shelves"]))]


def _deadlines(errand: Errand) -> Sequence[Deadline]:
    return [Deadline(WORD, PATIENCE)] if _is_waiting(errand) else []


def _on_deadline(name: str, errand: Errand) -> list[ErrandEvent]:
    """It is undone, as if something more were missing."""
    return [ThingMissing(shelf_id="another")]


def _patient(saga: Saga[Errand, ErrandEvent]) -> Saga[Errand, ErrandEvent]:
    patient = replace(saga, deadlines=_deadlines, on_deadline=_on_deadline)
    return replace(patient, signals=(SIGNAL,), awaits=_awaits, on_signal=_on_signal)


def _patient_on_two_versions(saga: Saga[Errand, ErrandEvent]) -> Saga[Errand, ErrandEvent]:
    """The second waits for nothing, and puts everything back in the end."""
    return replace(saga, version=2, pending=pending_in_second, former=(_patient(saga),), signals=(SIGNAL,))


class Waiting:
    """Errands on two versions: to two shelves at once; then the first waits for a signal, until a deadline."""

    def __init__(self, tag: str) -> None:
        self._errands: Final = Errands(tag, build=_patient_on_two_versions)
        second = self._errands.saga
        self.builds: Sequence[Sequence[Saga[Any, Any]]] = (second.former, (second,))
        self.codec = self._errands.codec
        self._shelves: Final = [str(uuid4()) for _ in range(3)]
        self._ids: Final = [str(uuid4()) for _ in range(3)]

    def route(self, command: Command) -> Decider[Any, Any, Any]:
        return shelf

    async def begin(self, client: CommandClient, random: Random) -> Sequence[str]:
        for each in self._shelves:
            await self._errands.stock(client, each, random.choice((2, 9)))
        for errand_id in self._ids:
            await self._errands.ask(client, self._shelves[:2], errand_id)
        asked = [f"errandrequest-{each}" for each in self._ids]
        return [*asked, *map(self._errands.stream, self._ids), *(f"shelf-{each}" for each in self._shelves)]

    async def meddle(self, client: CommandClient, random: Random) -> None:
        box = SignalBox(self._errands.saga, self._errands.coordinator(client).streams, self.codec)
        stream = self._errands.stream(random.choice(self._ids))
        with suppress(UnknownInstance):
            await box.send(stream, SIGNAL.name, {"shelves": self._shelves[2:]}, request())

    def faults(self, streams: Streams) -> list[str]:
        """Of each shelf an errand has what it holds at the end, and never took twice."""
        found = []
        for errand_id in self._ids:
            stream, saga = self._errands.stream(errand_id), self._errands.saga
            own: list[Any] = [each.event for each in streams[stream]]
            held = reduce(saga.evolve_past_notes, own, saga.initial).held
            for shelf_id in self._shelves:
                told = [each.event for each in streams[f"shelf-{shelf_id}"]]
                taken, back = told.count(Taken(errand_id=errand_id)), told.count(PutBack(errand_id=errand_id))
                if taken > 1 or taken - back != (shelf_id in held):
                    found.append(f"{stream}: {taken} taken and {back} put back of {shelf_id}, held {held}")
        return found


class Trips:
    """Outings of several legs, each a saga of its own, which are begun at once, and a prize when all have ended."""

    def __init__(self, tag: str) -> None:
        self._outings: Final = Outings(tag)
        self.builds: Sequence[Sequence[Saga[Any, Any]]] = ((self._outings.outing, self._outings.leg),)
        self.codec = self._outings.codec
        self._shelves: Final = [str(uuid4()) for _ in range(3)]
        self._prize: Final = str(uuid4())
        self._ids: Final = [str(uuid4()) for _ in range(2)]

    def route(self, command: Command) -> Decider[Any, Any, Any]:
        return self._outings.route(command)

    async def begin(self, client: CommandClient, random: Random) -> Sequence[str]:
        handler = CommandHandler(client, self.codec, bounds=PATIENT)
        for each in (*self._shelves, self._prize):
            await handler.handle(shelf, Stock(shelf_id=each, number=random.choice((1, 9))), request())
        for outing_id in self._ids:
            shelves = tuple(self._shelves)
            plan = PlanOuting(request_id=outing_id, outing_id=outing_id, shelves=shelves, prize=self._prize)
            await handler.handle(self._outings.requests, plan, request())
        legs = [leg_id(outing_id, each) for outing_id in self._ids for each in self._shelves]
        asked = [f"outingrequest-{each}" for each in (*self._ids, *legs)]
        outing, leg = self._outings.outing.category, self._outings.leg.category
        own = [*(f"{outing}-{each}" for each in self._ids), *(f"{leg}-{each}" for each in legs)]
        return [*asked, *own, *(f"shelf-{each}" for each in (*self._shelves, self._prize))]

    async def meddle(self, client: CommandClient, random: Random) -> None:
        """Nobody does anything."""

    def faults(self, streams: Streams) -> list[str]:
        """Of each shelf each leg has one answer, and of the prize each outing."""
        askers = {shelf_id: [leg_id(each, shelf_id) for each in self._ids] for shelf_id in self._shelves}
        found = []
        for shelf_id, asking in (*askers.items(), (self._prize, self._ids)):
            answers = [each.event for each in streams[f"shelf-{shelf_id}"][1:]]
            answered = sorted(each.errand_id for each in answers if isinstance(each, Taken | TakingDeclined))
            if answered != sorted(asking) or len(answers) != len(asking):
                found.append(f"shelf-{shelf_id}: {answers}, asked by {asking}")
        return found


WORLDS: Final[Mapping[str, Callable[[str], World]]] = {"orders": Orders, "waiting": Waiting, "trips": Trips}
