"""A saga of sagas for tests: an outing of several legs, each of which is a saga, and at the end, a prize.

A leg is begun by an event that the outing's command leaves, and wakes the outing by an event of its own stream when it
has ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar, assert_never
from uuid import NAMESPACE_OID, uuid5

from domain.decider import Decider
from domain.engine_events import ENGINE_EVENTS
from domain.message import Command, Event, stored_as
from domain.saga import Ask, Saga
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.sagas.coordinator import SagaCoordinator
from tests.infrastructure.sagas.shelf import Take, shelf


class _Request(Command):
    request_id: str
    outing_id: str

    @property
    def aggregate_id(self) -> str:
        return self.request_id


class PlanOuting(_Request):
    shelves: tuple[str, ...]
    prize: str


class AskForLeg(_Request):
    shelf_id: str


@stored_as(name="OutingPlanned", version=1)
class Planned(Event):
    outing_id: str
    shelves: tuple[str, ...]
    prize: str


@stored_as(name="OutingLegAsked", version=1)
class LegAsked(Event):
    request_id: str
    outing_id: str
    shelf_id: str


@stored_as(name="OutingLegBegun", version=1)
class LegBegun(Event):
    leg_id: str
    outing_id: str
    shelf_id: str


@stored_as(name="OutingLegCompleted", version=1)
class LegCompleted(Event):
    outing_id: str
    shelf_id: str


@stored_as(name="OutingBegun", version=1)
class OutingBegun(Event):
    outing_id: str
    shelves: tuple[str, ...]
    prize: str


@stored_as(name="OutingLegSent", version=1)
class LegSent(Event):
    shelf_id: str


@stored_as(name="OutingLegDone", version=1)
class LegDone(Event):
    shelf_id: str


@stored_as(name="OutingPrizeWon", version=1)
class PrizeWon(Event):
    outing_id: str


OutingEvent: TypeAlias = OutingBegun | LegSent | LegDone | PrizeWon


@dataclass(frozen=True, slots=True)
class Outing:
    """Which legs were not asked for yet, and which have not ended."""

    outing_id: str = ""
    prize: str = ""
    unsent: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()
    won: bool = False


def evolve(outing: Outing, event: OutingEvent) -> Outing:
    match event:
        case OutingBegun():
            return Outing(event.outing_id, event.prize, event.shelves, event.shelves)
        case LegSent():
            return replace(outing, unsent=without(outing.unsent, event.shelf_id))
        case LegDone():
            return replace(outing, under_way=without(outing.under_way, event.shelf_id))
        case PrizeWon():
            return replace(outing, won=True)
        case _:
            assert_never(event)


def observe(event: Planned | LegCompleted, outing: Outing) -> list[OutingEvent]:
    if isinstance(event, LegCompleted):
        return [LegDone(shelf_id=event.shelf_id)] if event.shelf_id in outing.under_way else []
    begun = OutingBegun(outing_id=event.outing_id, shelves=event.shelves, prize=event.prize)
    return [] if outing.outing_id else [begun]


def pending(outing: Outing) -> list[Ask]:
    """All legs are asked for at once; the prize once they have ended."""
    if outing.unsent:
        return [_leg(outing, shelf_id) for shelf_id in outing.unsent]
    if outing.outing_id and not outing.under_way and not outing.won:
        return [Ask("prize", Take(shelf_id=outing.prize, errand_id=outing.outing_id))]
    return []


def _leg(outing: Outing, shelf_id: str) -> Ask:
    leg = leg_id(outing.outing_id, shelf_id)
    return Ask(f"leg:{shelf_id}", AskForLeg(request_id=leg, outing_id=outing.outing_id, shelf_id=shelf_id))


def on_reply(ask: Ask, reply: Sequence[Event], outing: Outing) -> list[OutingEvent]:
    if isinstance(ask.command, AskForLeg):
        return [LegSent(shelf_id=ask.command.shelf_id)]
    return [PrizeWon(outing_id=outing.outing_id)]


def leg_id(outing_id: str, shelf_id: str) -> str:
    """The id of the leg to a shelf."""
    return str(uuid5(NAMESPACE_OID, f"{outing_id} {shelf_id}"))


def without(shelves: tuple[str, ...], shelf_id: str) -> tuple[str, ...]:
    return tuple(each for each in shelves if each != shelf_id)


EventT = TypeVar("EventT", bound=Event)


def own(event: type[EventT], tag: str) -> type[EventT]:
    """The same event under a name of its own, so that no other test's sagas are woken by it."""
    return stored_as(name=f"{event.stored_name}{tag}", version=1)(type(event.__name__, (event,), {}))


class Outings:
    """One test's outings and their legs, with waking events and streams of their own."""

    def __init__(self, tag: str) -> None:
        self.planned, self.asked, self.completed = own(Planned, tag), own(LegAsked, tag), own(LegCompleted, tag)
        self.requests = Decider[Any, bool, Any](
            category="outingrequest",
            events=(self.planned, self.asked),
            initial=False,
            evolve=lambda asked, event: True,
            decide=self._decide,
            exists=bool,
        )
        self.outing = Saga[Outing, OutingEvent](
            category=f"outing_{tag}",
            events=(OutingBegun, LegSent, LegDone, PrizeWon),
            initial=Outing(),
            evolve=evolve,
            reacts_to=(self.planned, self.completed),
            begins="beginning",
            identify=lambda event: event.outing_id,
            observe=observe,
            pending=pending,
            on_reply=on_reply,
        )
        self.leg = self._leg(tag)
        events = (*self.requests.events, *self.outing.events, *self.leg.events)
        self.codec = EventCodec((*shelf.events, *events, *ENGINE_EVENTS))

    def _leg(self, tag: str) -> Saga[Event | None, Any]:
        """Takes one thing from one shelf; its state is the last that happened."""
        return Saga(
            category=f"leg_{tag}",
            events=(LegBegun, self.completed),
            initial=None,
            evolve=lambda leg, event: event,
            reacts_to=(self.asked,),
            begins="beginning",
            identify=lambda event: event.request_id,
            observe=lambda event, leg: (
                [] if leg else [LegBegun(leg_id=event.request_id, outing_id=event.outing_id, shelf_id=event.shelf_id)]
            ),
            pending=lambda leg: (
                [Ask("take", Take(shelf_id=leg.shelf_id, errand_id=leg.leg_id))] if isinstance(leg, LegBegun) else []
            ),
            on_reply=lambda ask, reply, leg: (
                [self.completed(outing_id=leg.outing_id, shelf_id=leg.shelf_id)] if isinstance(leg, LegBegun) else []
            ),
        )

    def _decide(self, command: PlanOuting | AskForLeg, asked: bool) -> list[Event]:
        if asked:
            return []
        if isinstance(command, PlanOuting):
            return [self.planned(outing_id=command.outing_id, shelves=command.shelves, prize=command.prize)]
        leg, outing_id = command.request_id, command.outing_id
        return [self.asked(request_id=leg, outing_id=outing_id, shelf_id=command.shelf_id)]

    def route(self, command: Command) -> Decider[Any, Any, Any]:
        return shelf if isinstance(command, Take) else self.requests

    def coordinator(self, saga: Saga[Any, Any], client: CommandClient) -> SagaCoordinator:
        return SagaCoordinator(saga, self.route, CommandHandler(client, self.codec), self.codec)
