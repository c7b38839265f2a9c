"""A saga for tests: take one thing from each of several shelves, or put back, last one first, what was taken.

Its events carry a tag, so that every test has a saga, a group and a filter of its own in a store that all share.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias, assert_never
from uuid import UUID, uuid4

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command, Event, Recorded
from domain.saga import Ask, Saga
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Request
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.sagas.coordinator import SagaCoordinator

NOW = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)


class Stocked(Event, name="ShelfStocked", version=1):
    number: int


class Taken(Event, name="ShelfTaken", version=1):
    errand_id: str


class TakingDeclined(Event, name="ShelfTakingDeclined", version=1):
    errand_id: str


class PutBack(Event, name="ShelfPutBack", version=1):
    errand_id: str


ShelfEvent: TypeAlias = Stocked | Taken | TakingDeclined | PutBack


class _ShelfCommand(Command):
    shelf_id: str

    @property
    def aggregate_id(self) -> str:
        return self.shelf_id


class Stock(_ShelfCommand):
    number: int


class Take(_ShelfCommand):
    errand_id: str


class Return(_ShelfCommand):
    errand_id: str


ShelfCommand: TypeAlias = Stock | Take | Return


def evolve_shelf(number: int, event: ShelfEvent) -> int:
    match event:
        case Stocked():
            return number + event.number
        case Taken():
            return number - 1
        case PutBack():
            return number + 1
        case TakingDeclined():
            return number
        case _:
            assert_never(event)


def decide_shelf(command: ShelfCommand, number: int) -> list[ShelfEvent]:
    match command:
        case Stock():
            if command.number < 0:
                raise Rejected("never-less", "A shelf is not stocked with less than nothing.")
            return [Stocked(number=command.number)]
        case Take():
            errand = command.errand_id
            return [Taken(errand_id=errand)] if number else [TakingDeclined(errand_id=errand)]
        case Return():
            return [PutBack(errand_id=command.errand_id)]
        case _:
            assert_never(command)


shelf = Decider[ShelfCommand, int, ShelfEvent](
    category="shelf",
    events=(Stocked, Taken, TakingDeclined, PutBack),
    initial=0,
    evolve=evolve_shelf,
    decide=decide_shelf,
    exists=lambda number: True,
)


class ErrandBegun(Event, name="ErrandBegun", version=1):
    errand_id: str
    shelves: tuple[str, ...]


class ThingFetched(Event, name="ErrandThingFetched", version=1):
    shelf_id: str


class ThingMissing(Event, name="ErrandThingMissing", version=1):
    shelf_id: str


class ThingReturned(Event, name="ErrandThingReturned", version=1):
    shelf_id: str


ErrandEvent: TypeAlias = ErrandBegun | ThingFetched | ThingMissing | ThingReturned


@dataclass(frozen=True, slots=True)
class Errand:
    """What is still to be fetched, what was, and whether all is being undone."""

    errand_id: str = ""
    ahead: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    undoing: bool = False


def evolve(errand: Errand, event: ErrandEvent) -> Errand:
    match event:
        case ErrandBegun():
            return Errand(event.errand_id, event.shelves)
        case ThingFetched():
            return replace(errand, ahead=errand.ahead[1:], held=(*errand.held, event.shelf_id))
        case ThingMissing():
            return replace(errand, undoing=True)
        case ThingReturned():
            return replace(errand, held=errand.held[:-1])
        case _:
            assert_never(event)


def pending(errand: Errand) -> list[Ask]:
    if errand.undoing:
        return [_ask("return", Return, shelf_id, errand) for shelf_id in reversed(errand.held)]
    return [_ask("take", Take, shelf_id, errand) for shelf_id in errand.ahead]


def _ask(step: str, command: type[Take | Return], shelf_id: str, errand: Errand) -> Ask:
    return Ask(f"{step}:{shelf_id}", command(shelf_id=shelf_id, errand_id=errand.errand_id))


def hear(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
    shelf_id = ask.command.aggregate_id
    match answer:
        case [Taken()]:
            return [ThingFetched(shelf_id=shelf_id)]
        case [TakingDeclined()]:
            return [ThingMissing(shelf_id=shelf_id)]
        case [PutBack()]:
            return [ThingReturned(shelf_id=shelf_id)]
        case _:
            return []


class Asked(Command):
    errand_id: str
    shelves: tuple[str, ...]

    @property
    def aggregate_id(self) -> str:
        return self.errand_id


Hear: TypeAlias = Callable[[Ask, Sequence[Event], Errand], list[ErrandEvent]]
Route: TypeAlias = Callable[[Command], Decider[Any, Any, Any]]


class Errands:
    """One test's errands: its own trigger event, saga, and group; `hear` and `route` may be watched."""

    def __init__(self, tag: str, *, hear: Hear = hear, route: Route = lambda command: shelf) -> None:
        class ErrandAsked(Event, name=f"ErrandAsked{tag}", version=1):
            errand_id: str
            shelves: tuple[str, ...]

        self.tag = tag
        self.group = f"errands-{tag}"
        self.route = route
        self.saga = Saga[Errand, ErrandEvent](
            category="errand",
            events=(ErrandBegun, ThingFetched, ThingMissing, ThingReturned),
            initial=Errand(),
            evolve=evolve,
            reacts_to=(ErrandAsked,),
            identify=lambda event: event.errand_id,
            observe=lambda event, errand: (
                [] if errand.errand_id else [ErrandBegun(errand_id=event.errand_id, shelves=event.shelves)]
            ),
            pending=pending,
            on_reply=hear,
        )
        self._asker = Decider[Asked, None, ErrandAsked](
            category="errandrequest",
            events=(ErrandAsked,),
            initial=None,
            evolve=lambda state, event: state,
            decide=lambda command, state: [ErrandAsked(errand_id=command.errand_id, shelves=command.shelves)],
            exists=lambda state: True,
        )
        self.codec = EventCodec((*shelf.events, *self.saga.events, ErrandAsked))
        self._handlers: dict[CommandClient, CommandHandler] = {}

    def coordinator(self, client: CommandClient) -> SagaCoordinator:
        return SagaCoordinator(self.saga, self.route, CommandHandler(client, self.codec), self.codec)

    def _handler(self, client: CommandClient) -> CommandHandler:
        """One for each client, whose connection takes a hundred calls."""
        return self._handlers.setdefault(client, CommandHandler(client, self.codec))

    async def ask(self, client: CommandClient, shelves: Sequence[str], errand_id: str | None = None) -> Recorded[Any]:
        """An errand to these shelves, asked for now: the message that wakes its saga."""
        command = Asked(errand_id=errand_id or str(uuid4()), shelves=tuple(shelves))
        outcome = await self._handler(client).handle(self._asker, command, request())
        records = await self.recorded(client, outcome.stream)
        return next(recorded for recorded in records if recorded.id == outcome.last_id)

    async def stocked(self, client: CommandClient, *numbers: int) -> list[str]:
        """The ids of new shelves that hold so many things."""
        shelves = [str(uuid4()) for _ in numbers]
        handler = self._handler(client)
        for shelf_id, number in zip(shelves, numbers, strict=True):
            await handler.handle(shelf, Stock(shelf_id=shelf_id, number=number), request())
        return shelves

    async def recorded(self, client: CommandClient, stream: str) -> list[Recorded[Any]]:
        """All that a stream holds, of which there are not many."""
        recorded = await self._handler(client).streams.page(stream, 0)
        assert recorded is not None, f"there is no {stream}"
        return recorded

    async def story(self, client: CommandClient, stream: str) -> list[Event]:
        """All that happened in a stream."""
        return [recorded.event for recorded in await self.recorded(client, stream)]


def request(command_id: UUID | None = None) -> Request:
    """A request as a person sends it, with a correlation id of its own."""
    own_id = command_id or uuid4()
    return Request(own_id, "digest", uuid4(), own_id, "anonymous", "default", NOW)


def new_tag() -> str:
    return uuid4().hex[:12]
