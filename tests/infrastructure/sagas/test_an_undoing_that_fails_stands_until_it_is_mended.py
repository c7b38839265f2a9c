"""An undoing that fails is tried again; then its order stands where an operator sees it, and goes on with its word."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from domain.accounts.account import AccountCharged, ChargeRefunded, RefundCharge
from domain.accounts.account import decider as accounts
from domain.decider import Decider
from domain.engine_events import SagaStopped
from domain.errors import Rejected
from domain.fulfilment.events import FulfilmentAbandoned
from domain.fulfilment.saga import saga as fulfilment
from domain.message import Command, Event, stored_as
from domain.ordering.events import OrderCancelled
from domain.retry_rule import RetryRule
from domain.saga import Saga
from domain.stock.stock import ReceiveStock, ReleaseReservation, ReservationReleased, StockReserved
from domain.stock.stock import decider as stocks
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import NewRecord
from infrastructure.sagas import operator_words
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.failures import after_failure
from infrastructure.sagas.operator_desk import OperatorDesk
from infrastructure.sagas.run import now
from infrastructure.subscriptions.policy import Reaction, Retry
from service.consumers import EVENTS
from service.consumers import route as service_route
from service.history.sources import CODEC
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.sagas.consumers import SECONDS, until
from tests.infrastructure.sagas.errand import new_tag, request
from tests.infrastructure.sagas.live_orders import LiveOrder, Route, patient_handler

SOON: Final = timedelta(milliseconds=1)
RIVALS: Final = 40
ONCE: Final = (AccountCharged, ChargeRefunded, OrderCancelled)
TWICE: Final = (StockReserved, ReservationReleased)
KINDS: Final = {kind.stored_name for kind in (*ONCE, *TWICE)}


@stored_as(name="AccountAudited", version=1)
class Audited(Event):
    """A newer release wrote it."""


def soon(error: Exception, failures: int) -> Reaction:
    """What the service does, without its pauses."""
    reaction = after_failure(error, failures)
    return Retry(0.01) if isinstance(reaction, Retry) else reaction


def impatient(saga: Saga[Any, Any], begins: datetime) -> Saga[Any, Any]:
    """The same for what was written since, without the pauses of its rules."""

    def retry(step: str) -> RetryRule | None:
        rule = saga.retry(step)
        return None if rule is None else replace(rule, first=SOON, longest=SOON)

    return replace(saga, begins=begins, retry=retry, former=tuple(impatient(each, begins) for each in saga.former))


@dataclass
class Troubled:
    """The route of a worker that meets all troubles: a refund that is refused, rivals at a release, a newer event."""

    uri: str
    refused: LiveOrder
    contended: LiveOrder
    unreadable: LiveOrder
    rivals: int = RIVALS
    audited: bool = False

    def __call__(self, command: Command) -> Decider[Any, Any, Any]:
        match command:
            case RefundCharge() if command.order_id == self.refused.id:
                raise Rejected("closed", "The bank is closed.")
            case RefundCharge() if command.order_id == self.unreadable.id and not self.audited:
                self.audited = True
                metadata = request().metadata(Audited()).model_dump_json(by_alias=True).encode()
                self._append(f"account-{command.account_id}", NewRecord("AccountAudited", b"{}", metadata))
            case ReleaseReservation() if command.order_id == self.contended.id:
                return replace(stocks, decide=self._beside_a_rival)
            case _:
                pass
        return service_route(command)

    def _beside_a_rival(self, command: Any, stock: Any) -> list[Any]:
        """Somebody else appends before what is decided is."""
        if self.rivals:
            self.rivals -= 1
            [event] = stocks.decide(ReceiveStock(sku=command.sku, quantity=1), stock)
            record = CODEC.encode(event, request().metadata(event))
            self._append(f"stock-{command.aggregate_id}", record)
        return stocks.decide(command, stock)

    def _append(self, stream: str, record: NewRecord) -> None:
        with operating(self.uri) as operator:
            operator.append(stream, record)


def later_route(command: Command) -> Decider[Any, Any, Any]:
    """Of a release that knows the newer event."""
    if not isinstance(command, RefundCharge):
        return service_route(command)

    def evolve(account: Any, event: Any) -> Any:
        return account if isinstance(event, Audited) else accounts.evolve(account, event)

    newer: Decider[Any, Any, Any] = accounts
    return replace(newer, events=(*accounts.events, Audited), evolve=evolve)


@asynccontextmanager
async def worker(uri: str, group: str, saga: Saga[Any, Any], route: Route, codec: EventCodec) -> AsyncIterator[None]:
    """At work until the end."""
    stop = asyncio.Event()
    async with connected(uri) as client, connected(uri) as own:
        handler = CommandHandler(client, codec, bounds=Bounds(call_seconds=30.0))
        coordinator = SagaCoordinator(saga, route, handler, codec)
        task = asyncio.create_task(consume_saga(coordinator, own, group, stop, ConsumerOptions(policy=soon)))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), SECONDS)


async def ended(order: LiveOrder) -> bool:
    return any(isinstance(event, FulfilmentAbandoned) for event in await order.story())


async def stops(order: LiveOrder) -> list[SagaStopped]:
    return [event for event in await order.story() if isinstance(event, SagaStopped)]


async def stands(order: LiveOrder) -> bool:
    return bool(await stops(order))


def test_it_stands_where_it_is_seen_and_goes_on(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            handler, group, saga = patient_handler(client), f"orders-{new_tag()}", impatient(fulfilment, now())
            orders = [LiveOrder(handler) for _ in range(3)]
            refused, contended, unreadable = orders
            for order in orders:
                await order.begin()
                await order.cancel()
            troubled = Troubled(eventstore_uri, refused, contended, unreadable)
            async with worker(eventstore_uri, group, saga, troubled, CODEC):
                await until(partial(ended, contended), "the end of the one that met rivals")
                await until(partial(stands, refused), "a refund that stands")
                await until(partial(stands, unreadable), "an account that can't be read")
            assert (troubled.rivals, await stops(contended)) == (0, [])
            [at_refund], [at_reading] = await stops(refused), await stops(unreadable)
            assert at_refund.error == "refund was refused, attempt 8: closed: The bank is closed."
            assert at_reading.error.startswith("UnknownEventType: ")
            desk = OperatorDesk(saga, later_route, handler, EventCodec((*EVENTS, Audited)))
            for order in (refused, unreadable):
                await desk.say(order.stream, operator_words.Retry("it is mended"), request())
            async with worker(eventstore_uri, group, saga, later_route, EventCodec((*EVENTS, Audited))):
                for order in (refused, unreadable):
                    await until(partial(ended, order), "the end of one that stood")
            for order in orders:
                await is_undone_once(order)

    asyncio.run(run())


async def is_undone_once(order: LiveOrder) -> None:
    """By what its streams tell, but for the account's newer event."""
    done = Counter[type[Event]]()
    for stream in order.targets:
        records = await order.handler.streams.records(stream, 0, 1_000) or []
        done.update(type(each.event) for record in records if record.type in KINDS for each in CODEC.events_in(record))
    assert {kind.stored_name: done[kind] for kind in (*ONCE, *TWICE)} == {
        **{kind.stored_name: 1 for kind in ONCE},
        **{kind.stored_name: 2 for kind in TWICE},
    }
