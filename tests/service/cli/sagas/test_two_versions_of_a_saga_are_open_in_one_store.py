"""Orders on both versions of the fulfilment in one store: they are checked, and moved where nothing is lost so."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from domain.accounts.account import AccountCharged
from domain.engine_events import SagaMigrated
from domain.fulfilment.events import FulfilmentCompleted
from domain.fulfilment.saga import first, saga
from domain.ordering.events import OrderConfirmed
from domain.saga import Saga
from infrastructure.sagas.coordinator import SagaCoordinator
from service.cli.sagas.commands import app
from service.consumers import route
from service.errors import WordNotTaken
from service.history.sources import CODEC
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.live_orders import LiveOrder, patient_handler
from tests.infrastructure.sagas.open_orders import TOLD, open_orders
from tests.infrastructure.sagas.test_versions_of_a_saga_run_side_by_side import Crash
from tests.service.cli.snapshots.command import ran

WHY: Final = ("--why", "all SKUs at once")
CHARGED: Final = TOLD["open"][1]
"""Of an earlier release: its account was charged, and it has not heard of it."""
T = TypeVar("T")


def in_store(uri: str, act: Callable[[LiveOrder], Awaitable[T]]) -> T:
    """What is done with a new order there."""

    async def run() -> T:
        async with connected(uri) as client:
            return await act(LiveOrder(patient_handler(client)))

    return asyncio.run(run())


def deaf_at(version: Saga[Any, Any], step: str) -> Saga[Any, Any]:
    """In a worker that ends when this step is answered."""

    def on_reply(ask: Any, reply: Any, state: Any) -> list[Any]:
        if ask.step == step:
            raise Crash
        return version.on_reply(ask, reply, state)

    return replace(version, on_reply=on_reply)


def left_open(uri: str, version: Saga[Any, Any], step: str, **shop: Any) -> str:
    """The id of an order whose step of that name was answered, which it has not heard."""

    async def begun(order: LiveOrder) -> str:
        message = await order.begin(**shop)
        with pytest.raises(Crash):
            await order.coordinator(deaf_at(version, step)).react(message)
        return order.id

    return in_store(uri, begun)


def checked(uri: str) -> dict[str, Any]:
    result = ran(uri, app, "check", "--json")
    assert result.return_value == 0
    answer: dict[str, Any] = json.loads(result.stdout)
    return {"open": answer["sagas"][0]["open"], "differences": answer["differences"]}


def test_they_are_checked_and_moved_where_nothing_is_lost(tmp_path: Path) -> None:
    with open_orders(tmp_path) as uri:
        undoing = left_open(uri, first, "cancel", desks=0)
        second = left_open(uri, saga, "charge")
        assert checked(uri) == {"open": 4, "differences": 0}
        refused = ran(uri, app, "migrate", "fulfilment", undoing, "--to", "2", *WHY).exception
        assert isinstance(refused, WordNotTaken)
        assert "cancel is asked for and unanswered, and it would not be pending there" in str(refused)
        moved = ran(uri, app, "migrate", "fulfilment", CHARGED, "--to", "2", *WHY)
        said = f"fulfilment-{CHARGED} goes on with version 2; until now it ran on version 1\n"
        assert (moved.return_value, moved.stdout) == (0, said)
        back = json.loads(ran(uri, app, "migrate", "fulfilment", second, "--to", "1", *WHY, "--json").stdout)
        assert (back["version"], back["version_before"]) == (1, 2)
        assert checked(uri) == {"open": 4, "differences": 0}
        in_store(uri, lambda order: ends_charged_once(order, CHARGED))
        assert checked(uri) == {"open": 3, "differences": 0}


async def ends_charged_once(beside: LiveOrder, order_id: str) -> None:
    """On version 2, whose first ask is for what version 1 had asked for."""
    confirmed = next(e for e in await beside.recorded(f"order-{order_id}") if isinstance(e.event, OrderConfirmed))
    await SagaCoordinator(saga, route, beside.handler, CODEC).react(confirmed)
    own = await beside.story(f"fulfilment-{order_id}")
    assert own[-1] == FulfilmentCompleted(order_id=order_id)
    assert [event.version for event in own if isinstance(event, SagaMigrated)] == [2]
    charged = [e for e in await beside.story(f"account-{TOLD['account']}") if isinstance(e, AccountCharged)]
    assert [event.order_id for event in charged].count(order_id) == 1
