"""Orders on a real store and their fulfilment in this process, with an operator beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4, uuid5

from domain.accounts.account import Deposit, OpenAccount
from domain.decider import Decider
from domain.fulfilment.saga import saga as fulfilment
from domain.message import Command, Event, Recorded
from domain.ordering.events import OrderConfirmed
from domain.ordering.order import ConfirmOrder, CreateOrder, Item
from domain.saga import Ask, Saga
from domain.stock.stock import ReceiveStock, stock_id
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.commands.request import Outcome, Request
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.operator_desk import OperatorDesk
from infrastructure.sagas.operator_words import OperatorWord
from infrastructure.sagas.run import digest_of
from infrastructure.sagas.words import Words
from service.consumers import route
from service.history.sources import CODEC
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import request

PRICE: Final = Decimal("10.00")
PATIENT: Final = Bounds(patience=60.0, call_seconds=30.0)  # of a machine that does much else


class Broken(Exception):
    """What asking for a step raises as long as it is broken."""


@dataclass
class Order:
    """An order for two things, one of each of its SKUs, that was just confirmed; `message` says so."""

    id: str
    account: str
    skus: tuple[str, str]
    message: Recorded[OrderConfirmed]

    @property
    def stream(self) -> str:
        """Of its fulfilment."""
        return f"fulfilment-{self.id}"


@dataclass
class Fulfilments:
    """Of one client. `broken` are commands that raise instead of being sent."""

    client: CommandClient
    saga: Saga[Any, Any] = fulfilment
    broken: set[type[Command]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.handler = CommandHandler(self.client, CODEC, bounds=PATIENT)
        self.coordinator = SagaCoordinator(self.saga, self._route, self.handler, CODEC)
        self.desk = OperatorDesk(self.saga, route, self.handler, CODEC)

    def _route(self, command: Command) -> Decider[Any, Any, Any]:
        if type(command) in self.broken:
            raise Broken(type(command).__name__)
        return route(command)

    async def send(self, command: Command, request_: Request | None = None) -> Outcome:
        """As a person does."""
        return await self.handler.handle(route(command), command, request_ or request())

    async def order(self, *, funds: str = "20.00", own_id: str | None = None) -> Order:
        """There is one of each of its things, and so much money for two that cost 10.00 each."""
        skus = tuple(sorted(f"thing-{uuid4().hex[:8]}" for _ in range(2)))
        own_id, account = own_id or str(uuid4()), str(uuid4())
        for sku in skus:
            await self.send(ReceiveStock(sku=sku, quantity=1))
        await self.send(OpenAccount(account_id=account, owner_id="ada", currency="EUR"))
        await self.send(Deposit(account_id=account, amount=Decimal(funds)))
        items = tuple(Item(sku=sku, quantity=1, unit_price=PRICE) for sku in skus)
        await self.send(
            CreateOrder(order_id=own_id, customer_id="ada", account_id=account, currency="EUR", items=items)
        )
        await self.send(ConfirmOrder(order_id=own_id))
        [message] = [each for each in await self.recorded(f"order-{own_id}") if isinstance(each.event, OrderConfirmed)]
        return Order(own_id, account, (skus[0], skus[1]), message)

    async def begun(self, broken: type[Command], *, funds: str = "20.00", own_id: str | None = None) -> Order:
        """One that came as far as this command, which raises."""
        order = await self.order(funds=funds, own_id=own_id)
        self.broken = {broken}
        try:
            await self.coordinator.react(order.message)
        except Broken:
            pass
        else:
            raise AssertionError("it was never asked for")
        self.broken = set()
        return order

    async def say(self, order: Order, word: OperatorWord, request_: Request | None = None) -> Outcome:
        """An operator's word."""
        outcome, _ = await self.desk.say(order.stream, word, request_ or request())
        return outcome

    def asked(self, step: str, command: Command, since: Recorded[Any]) -> Request:
        """As its saga sends a step that is pending since that event."""
        own_id = uuid5(since.id, step)
        return replace(request(own_id), digest=digest_of(Ask(step, command)), causation_id=since.id)

    async def go_on(self, order: Order) -> None:
        """What a worker does that is woken by the newest word."""
        word = (await self.recorded(order.stream))[-1]
        await self.coordinator.react(word)

    async def recorded(self, stream: str) -> list[Recorded[Any]]:
        """All that a stream holds, of which there are not many."""
        return await self.handler.streams.page(stream, 0) or []

    async def story(self, stream: str) -> list[str]:
        """The names of all that happened in it."""
        return [each.event.stored_name for each in await self.recorded(stream)]

    async def events(self, stream: str) -> list[Event]:
        """All that happened in it."""
        return [each.event for each in await self.recorded(stream)]

    async def books(self, order: Order) -> tuple[list[str], list[list[str]]]:
        """What became of its money and of its things, by name, without what was there before the order."""
        money = (await self.story(f"account-{order.account}"))[2:]
        return money, [(await self.story(f"stock-{stock_id(sku)}"))[2:] for sku in order.skus]

    def words(self) -> Words:
        """The streams of the instances, read as operators do."""
        return Words(self.saga, self.handler.streams, CODEC)


@asynccontextmanager
async def fulfilling(uri: str) -> AsyncIterator[Fulfilments]:
    """Fulfilments on a store."""
    async with connected(uri) as client:
        shop = Fulfilments(client)
        try:
            yield shop
        finally:
            await shop.handler.close()
