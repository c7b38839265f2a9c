"""Each projection says of every event of its category what it does with it, be it nothing."""

from typing import Any, Final

import pytest

from domain.accounts.account import decider as accounts
from domain.decider import Decider
from domain.ordering.order import decider as orders
from domain.stock.stock import decider as stocks
from projections import account_balance, account_statement, order_summary, orders_by_customer, stock_levels
from projections.projection import Projection

PAIRS: Final[list[tuple[Projection[Any], Decider[Any, Any, Any]]]] = [
    (order_summary.projection, orders),
    (orders_by_customer.projection, orders),
    (stock_levels.projection, stocks),
    (account_balance.projection, accounts),
    (account_statement.projection, accounts),
]


@pytest.mark.parametrize(("projection", "decider"), PAIRS, ids=lambda part: getattr(part, "name", ""))
def test_what_is_handled_and_what_is_ignored_is_all_there_is(
    projection: Projection[Any], decider: Decider[Any, Any, Any]
) -> None:
    assert projection.category == decider.category
    assert projection.handlers.keys() | projection.ignored == set(decider.events)
    assert projection.handlers.keys() & projection.ignored == set()


def test_each_projection_is_named_after_its_module() -> None:
    modules = (order_summary, orders_by_customer, stock_levels, account_balance, account_statement)
    assert [module.projection.name for module in modules] == [module.__name__.split(".")[-1] for module in modules]


@pytest.mark.parametrize(("projection", "decider"), PAIRS, ids=lambda part: getattr(part, "name", ""))
def test_only_the_creating_event_begins_a_row(projection: Projection[Any], decider: Decider[Any, Any, Any]) -> None:
    creating = {"OrderCreated", "SkuRegistered", "AccountOpened"}
    others = [handler for event, handler in projection.handlers.items() if event.stored_name not in creating]
    assert [handler(None, None) for handler in others] == [None] * len(others)
