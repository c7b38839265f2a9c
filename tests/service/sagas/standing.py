"""A store with an instance of fulfilment in each status, and a worker that keeps the read model of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from domain.engine_events import SagaDeadlineSet, SagaMessageAttempted, SagaPaused, SagaStopped
from domain.fulfilment.events import (
    FulfilmentAbandoned,
    FulfilmentCompleted,
    FulfilmentStarted,
    GoodsMissing,
    Reservation,
)
from domain.message import Event
from service.consumers import SAGA_STATUS
from service.history.sources import CODEC
from service.settings import Settings
from service.workers.projections import deployment_of
from tests.domain.values import ACCOUNT, money
from tests.infrastructure.history.ledger import metadata
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.cli.snapshots.command import Store
from tests.service.cli.snapshots.conftest import new_store

RUNNING, FAILED, PAUSED, LATE, DONE, UNDONE = (f"00000000-0000-4000-8000-0000000000a{number}" for number in range(6))
ATTEMPTS: Final = 1000
"""At a message, noted in the stream of the one that is done: a longer stream than a timeline shows."""
EVIL: Final = "\x1b]0;taken\x07\x1b[2J\nforged"


@dataclass(frozen=True)
class Standing:
    """The settings by which the store and its read model are found."""

    store: Store
    settings: Settings

    def append(self, instance: str, *events: Event, actor: str = "saga:fulfilment") -> None:
        """Of one command."""
        command = uuid4()
        told = [(event, metadata(event, correlation=command, command=command, actor=actor)) for event in events]
        self.store.append(f"fulfilment-{instance}", *(CODEC.encode(event, about) for event, about in told))


def started(order_id: str) -> FulfilmentStarted:
    lamps = (Reservation(sku="lamp", quantity=2),)
    return FulfilmentStarted(order_id=order_id, account_id=ACCOUNT, total=money("9.00"), reservations=lamps)


@contextmanager
def standing(redis_uri: str) -> Iterator[Standing]:
    """With one instance of each status, and one whose deadline is overdue; the last is told last."""
    with new_store() as store:
        settings = Settings(eventstore_uri=store.uri, redis_uri=redis_uri, namespace=f"sagas-{uuid4().hex[:12]}")
        made = Standing(store, settings)
        for each in (RUNNING, FAILED, PAUSED, LATE, DONE, UNDONE):
            made.append(each, started(each))
        stopped = SagaStopped(stream="order-0", version=1, position=2, message_id="m", error=EVIL)
        made.append(FAILED, stopped)
        made.append(PAUSED, SagaPaused(why="the carrier is on strike"), actor="cli:ada")
        made.append(LATE, SagaDeadlineSet(name="word", due=datetime.now(UTC) - timedelta(seconds=90)))
        attempted = SagaMessageAttempted(stream="order-0", version=1, position=2, message_id="m")
        made.append(DONE, *[attempted] * ATTEMPTS)
        made.append(DONE, FulfilmentCompleted(order_id=DONE))
        made.append(UNDONE, GoodsMissing(order_id=UNDONE, sku="lamp"))
        made.append(UNDONE, FulfilmentAbandoned(order_id=UNDONE, reason="out-of-stock"))
        with ThreadWorker(deployment_of(settings), *SAGA_STATUS):
            yield made
