"""A saga for tests: take one thing from each of several shelves, or put back, last one first, what was taken.

All things are pending at once, so the answers may be stored in any order.

Its events and its streams carry a tag, so that every test has a saga, a group and a filter of its own in a store that
all share.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias, assert_never
from uuid import UUID, uuid4

from domain.decider import Decider
from domain.engine_events import ENGINE_EVENTS
from domain.message import Command, Event, Recorded, stored_as
from domain.saga import Ask, Begins, Saga
from domain.stream_name import DEFAULT_TENANT, stream_name
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Request
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.filters import filter_id, group_name, pattern_of
from infrastructure.sagas.operator_desk import OperatorDesk
from infrastructure.sagas.run import now
from tests.infrastructure.sagas.shelf import PutBack, Return, Stock, Take, Taken, TakingDeclined, shelf

NOW = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)


@stored_as(name="ErrandBegun", version=1)
class ErrandBegun(Event):
    errand_id: str
    shelves: tuple[str, ...]


@stored_as(name="ErrandThingFetched", version=1)
class ThingFetched(Event):
    shelf_id: str


@stored_as(name="ErrandThingMissing", version=1)
class ThingMissing(Event):
    shelf_id: str


@stored_as(name="ErrandThingReturned", version=1)
class ThingReturned(Event):
    shelf_id: str


@stored_as(name="ErrandExtended", version=1)
class ErrandExtended(Event):
    shelves: tuple[str, ...]


ErrandEvent: TypeAlias = ErrandBegun | ErrandExtended | ThingFetched | ThingMissing | ThingReturned


@dataclass(frozen=True, slots=True)
class Errand:
    """What it was asked for, what is still to be fetched, what was, and whether all is being undone.

    One that `brings_back` puts everything back in the end.
    """

    errand_id: str = ""
    asked: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    undoing: bool = False
    brings_back: bool = False


def evolve(errand: Errand, event: ErrandEvent) -> Errand:
    match event:
        case ErrandBegun():
            return Errand(event.errand_id, event.shelves, event.shelves)
        case ErrandExtended():
            return replace(errand, asked=(*errand.asked, *event.shelves), ahead=(*errand.ahead, *event.shelves))
        case ThingFetched():
            ahead = tuple(shelf_id for shelf_id in errand.ahead if shelf_id != event.shelf_id)
            return replace(errand, ahead=ahead, held=(*errand.held, event.shelf_id))
        case ThingMissing():
            return replace(errand, undoing=True)
        case ThingReturned():
            return replace(errand, held=tuple(shelf_id for shelf_id in errand.held if shelf_id != event.shelf_id))
        case _:
            assert_never(event)


def observe(errand_id: str, shelves: tuple[str, ...], errand: Errand) -> list[ErrandEvent]:
    if not errand.errand_id:
        return [ErrandBegun(errand_id=errand_id, shelves=shelves)]
    more = tuple(shelf_id for shelf_id in shelves if shelf_id not in errand.asked)
    return [ErrandExtended(shelves=more)] if more else []


def pending(errand: Errand) -> list[Ask]:
    if errand.undoing or (errand.brings_back and not errand.ahead):
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
Build: TypeAlias = Callable[[Saga[Errand, ErrandEvent]], Saga[Errand, ErrandEvent]]


def _asker(asked: Any) -> Decider[Asked, None, Any]:
    """Who makes that event of each command."""
    return Decider[Asked, None, Any](
        category="errandrequest",
        events=(asked,),
        initial=None,
        evolve=lambda state, event: state,
        decide=lambda command, state: [asked(errand_id=command.errand_id, shelves=command.shelves)],
        exists=lambda state: True,
    )


class Errands:
    """One test's errands: its own trigger event, saga, and group; `hear` and `route` may be watched.

    `build` makes the saga of a later build from the first version.
    """

    def __init__(
        self,
        tag: str,
        *,
        hear: Hear = hear,
        route: Route = lambda command: shelf,
        begins: Begins = "beginning",
        build: Build = lambda saga: saga,
    ) -> None:
        @stored_as(name=f"ErrandAsked{tag}", version=1)
        class ErrandAsked(Event):
            errand_id: str
            shelves: tuple[str, ...]

        self.tag = tag
        self.groups = f"errands-{tag}"
        self.route = route
        self.clock = now
        self.counts = CommandCounts()
        first = Saga[Errand, ErrandEvent](
            category=f"errand_{tag}",
            events=(ErrandBegun, ErrandExtended, ThingFetched, ThingMissing, ThingReturned),
            initial=Errand(),
            evolve=evolve,
            reacts_to=(ErrandAsked,),
            begins=begins,
            identify=lambda event: event.errand_id,
            observe=lambda event, errand: observe(event.errand_id, event.shelves, errand),
            pending=pending,
            on_reply=hear,
        )
        self.saga = build(first)
        self._asker = _asker(ErrandAsked)
        self.codec = EventCodec((*shelf.events, *self.saga.events, *ENGINE_EVENTS, ErrandAsked))
        self._handlers: dict[CommandClient, CommandHandler] = {}

    @property
    def pattern(self) -> str:
        """What matches the messages that wake its saga, and no others."""
        return pattern_of(self.saga)

    @property
    def group(self) -> str:
        """The group of its saga's consumers."""
        return group_name(self.groups, filter_id(self.pattern))

    def stream(self, errand_id: str, tenant: str = DEFAULT_TENANT) -> str:
        """The stream of an instance."""
        return stream_name(self.saga.category, errand_id, tenant)

    def coordinator(self, client: CommandClient) -> SagaCoordinator:
        handler = CommandHandler(client, self.codec, counts=self.counts)
        return SagaCoordinator(self.saga, self.route, handler, self.codec, clock=self.clock)

    def desk(self, client: CommandClient) -> OperatorDesk:
        """Where operators say their words to its instances."""
        return OperatorDesk(self.saga, self.route, self._handler(client), self.codec)

    def _handler(self, client: CommandClient) -> CommandHandler:
        """One for each client, whose connection takes a hundred calls."""
        return self._handlers.setdefault(client, CommandHandler(client, self.codec))

    async def ask(
        self, client: CommandClient, shelves: Sequence[str], errand_id: str | None = None, tenant: str = DEFAULT_TENANT
    ) -> Recorded[Any]:
        """An errand to these shelves, asked for now: the message that wakes its saga."""
        command = Asked(errand_id=errand_id or str(uuid4()), shelves=tuple(shelves))
        outcome = await self._handler(client).handle(self._asker, command, request(tenant=tenant))
        records = await self.recorded(client, outcome.stream)
        return next(recorded for recorded in records if recorded.id == outcome.last_id)

    async def stocked(self, client: CommandClient, *numbers: int) -> list[str]:
        """The ids of new shelves that hold so many things."""
        shelves = [str(uuid4()) for _ in numbers]
        for shelf_id, number in zip(shelves, numbers, strict=True):
            await self.stock(client, shelf_id, number)
        return shelves

    async def stock(self, client: CommandClient, shelf_id: str, number: int, tenant: str = DEFAULT_TENANT) -> None:
        """So many things more on a shelf."""
        command = Stock(shelf_id=shelf_id, number=number)
        await self._handler(client).handle(shelf, command, request(tenant=tenant))

    async def recorded(self, client: CommandClient, stream: str) -> list[Recorded[Any]]:
        """All that a stream holds, of which there are not many."""
        recorded = await self._handler(client).streams.page(stream, 0)
        assert recorded is not None, f"there is no {stream}"
        return recorded

    async def story(self, client: CommandClient, stream: str) -> list[Event]:
        """All that happened in a stream."""
        return [recorded.event for recorded in await self.recorded(client, stream)]


def request(command_id: UUID | None = None, tenant: str = DEFAULT_TENANT) -> Request:
    """A request as a person sends it, with a correlation id of its own."""
    own_id = command_id or uuid4()
    return Request(own_id, "digest", uuid4(), own_id, "anonymous", tenant, NOW)


def new_tag() -> str:
    return uuid4().hex[:12]
