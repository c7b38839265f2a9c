"""The code of `docs/guides/sagas.md` is a saga: its tests pass, it runs, and its diagram is drawn."""

import asyncio
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from uuid import uuid4

import pytest

from domain.accounts.account import Deposit, MoneyDeposited, OpenAccount
from domain.saga import Saga
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.codec import EventCodec
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.filters import filter_id, pattern_of
from service.cli.sagas.graph import flowchart
from service.consumers import EVENTS, route
from tests.domain.values import ACCOUNT
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import SECONDS, until
from tests.infrastructure.sagas.errand import new_tag, request

GUIDE: Final = (Path(__file__).parents[3] / "docs" / "guides" / "sagas.md").read_text(encoding="utf-8")
NAME: Final = "domain.welcome_of_the_guide"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def guide() -> Iterator[Any]:
    """A module of the guide's code, from its beginning to its end."""
    module = ModuleType(NAME)
    sys.modules[NAME] = module
    exec(compile("\n".join(blocks("python")), "docs/guides/sagas.md", "exec"), module.__dict__)
    yield module
    del sys.modules[NAME]


def test_its_tests_pass(guide: Any) -> None:
    tests = [member for name, member in vars(guide).items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()


def test_its_diagram_is_the_one_that_is_drawn(guide: Any) -> None:
    assert [text.splitlines() for text in blocks("mermaid")] == [list(flowchart(guide.saga))]


@pytest.mark.parametrize(("version", "gift"), [(1, "5.00"), (2, "10.00")])
def test_whoever_opens_an_account_gets_the_gift_once(guide: Any, eventstore_uri: str, version: int, gift: str) -> None:
    async def run() -> None:
        saga, stop, account_id = _alone(guide, version), asyncio.Event(), str(uuid4())
        codec = EventCodec((*EVENTS, *saga.events))
        async with connected(eventstore_uri) as client, connected(eventstore_uri) as own:
            handler = CommandHandler(client, codec)
            coordinator = SagaCoordinator(saga, route, handler, codec)
            consuming = asyncio.create_task(consume_saga(coordinator, own, saga.category, stop))
            await until(lambda: _has_begun(coordinator), "the saga to begin")
            opening = OpenAccount(account_id=account_id, owner_id="ada", currency="EUR")
            await handler.handle(route(opening), opening, request())
            await until(lambda: _has_ended(coordinator, account_id), "its end")
            stop.set()
            await asyncio.wait_for(consuming, SECONDS)
            told = await handler.streams.page(f"account-{account_id}", 0) or []
            assert [str(each.event.amount.amount) for each in told if isinstance(each.event, MoneyDeposited)] == [gift]

    asyncio.run(run())


def _alone(guide: Any, version: int) -> Saga[Any, Any]:
    """The saga with streams of its own in a store that all share."""
    first = replace(guide.saga, category=f"welcome_{new_tag()}")
    return first if version == 1 else replace(guide.second, category=first.category, former=(first,))


async def _has_begun(coordinator: SagaCoordinator) -> bool:
    """Whether it is written where the saga begins: an account of before that is not for it."""
    saga = coordinator.saga
    stream = f"{saga.category}_sweep-{filter_id(pattern_of(saga))}"
    return bool(await coordinator.streams.records(stream, None, 1, backwards=True))


async def _has_ended(coordinator: SagaCoordinator, account_id: str) -> bool:
    saga = coordinator.saga
    told = await coordinator.streams.page(f"{saga.category}-{account_id}", 0) or []
    assert saga.ending is not None
    return any(type(each.event) in saga.ending.events for each in told)


def test_the_second_version_asks_for_more(guide: Any) -> None:
    [ask] = guide.second.pending(guide.Welcome(owed_to=ACCOUNT, begun=True))
    assert ask == guide.Ask("gift", Deposit(account_id=ACCOUNT, amount=Decimal("10.00")))
