"""Orders in a store, each with SKUs and an account of its own, whose confirmations a test delivers by hand."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from domain.accounts.account import Deposit, OpenAccount
from domain.decider import Decider
from domain.fulfilment.saga import saga
from domain.message import Command, Event, Recorded
from domain.ordering.events import OrderConfirmed
from domain.ordering.order import ConfirmOrder, CreateOrder, Item, RequestCancellation
from domain.saga import Saga
from domain.stock.stock import ReceiveStock, WriteOffDamage, stock_id
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.coordinator import SagaCoordinator
from service.consumers import route as service_route
from service.history.sources import CODEC
from tests.infrastructure.sagas.errand import request

Route = Callable[[Command], Decider[Any, Any, Any]]
PRICE: Final = Decimal("10.00")


PATIENT: Final = Bounds(patience=30.0, call_seconds=30.0)


def patient_handler(client: CommandClient) -> CommandHandler:
    """On a machine that is busy."""
    return CommandHandler(client, CODEC, bounds=PATIENT)


class LiveOrder:
    """One order of a desk and of three lamps for 40.00; `begin` has it confirmed."""

    def __init__(self, handler: CommandHandler) -> None:
        self.id, self.account_id, self.tag = str(uuid4()), str(uuid4()), uuid4().hex[:8]
        self.skus: Final = (f"desk-{self.tag}", f"lamp-{self.tag}")
        self.handler: Final = handler
        self.stream: Final = f"{saga.category}-{self.id}"

    @property
    def targets(self) -> list[str]:
        """The streams of all that a fulfilment of it asks."""
        stocks = [f"stock-{stock_id(sku)}" for sku in self.skus]
        return [f"order-{self.id}", f"account-{self.account_id}", *stocks]

    async def begin(self, *, desks: int = 1, lamps: int = 3, balance: str | None = "40.00") -> Recorded[OrderConfirmed]:
        """With so much in stock and in the account, which there is none of where the balance is None."""
        for sku, quantity in zip(self.skus, (desks, lamps), strict=True):
            await self.send(ReceiveStock(sku=sku, quantity=quantity or 1))
            if not quantity:
                await self.send(WriteOffDamage(sku=sku, quantity=1))
        if balance is not None:
            await self.send(OpenAccount(account_id=self.account_id, owner_id="ada", currency="EUR"))
            await self.send(Deposit(account_id=self.account_id, amount=Decimal(balance)))
        await self.send(self.created)
        await self.send(ConfirmOrder(order_id=self.id))
        return (await self.recorded(f"order-{self.id}"))[-1]

    @property
    def created(self) -> CreateOrder:
        """What was ordered."""
        desk, lamp = self.skus
        items = (Item(sku=desk, quantity=1, unit_price=PRICE), Item(sku=lamp, quantity=3, unit_price=PRICE))
        return CreateOrder(order_id=self.id, customer_id="ada", account_id=self.account_id, currency="EUR", items=items)

    async def send(self, command: Command) -> None:
        await self.handler.handle(service_route(command), command, request())

    async def cancel(self) -> None:
        """The customer wants out."""
        await self.send(RequestCancellation(order_id=self.id, reason="too late"))

    def coordinator(self, version: Saga[Any, Any] = saga, route: Route = service_route) -> SagaCoordinator:
        """Of a worker that begins anew."""
        return SagaCoordinator(version, route, self.handler, CODEC)

    async def recorded(self, stream: str) -> list[Recorded[Any]]:
        """All that a stream holds, of which there is not much; nothing where there is no stream."""
        return await self.handler.streams.page(stream, 0) or []

    async def story(self, stream: str | None = None) -> list[Event]:
        """All that happened in a stream, the fulfilment's where none is named."""
        return [each.event for each in await self.recorded(stream or self.stream)]

    async def streams(self) -> dict[str, list[Event]]:
        """All of its streams and the fulfilment's."""
        return {stream: await self.story(stream) for stream in (self.stream, *self.targets)}


def step_id(since: Recorded[Any], step: str) -> UUID:
    """The id of the command of a step that is pending since that event."""
    return uuid5(since.id, step)
