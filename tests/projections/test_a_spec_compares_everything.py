"""A spec fails where a row, an entry or a sum is missing, is another one, or is not expected; in both ways to fold."""

from dataclasses import replace
from typing import Any, Final

import pytest

from domain.message import Recorded
from domain.ordering.events import ItemAdded, OrderCreated
from projections import all_stock, orders_by_status
from projections.all_stock import ListedStock
from projections.orders_by_status import OrderStatus
from projections.row_lists import sortable
from tests.domain.ordering.orders import CONFIRMED, CREATED
from tests.domain.stock.stocks import RECEIVED, REGISTERED
from tests.support.projection_spec import Members, SpecOf, one_by_one
from tests.support.split_log import Split, in_batches

LISTED: Final = ListedStock(sku="lamp", on_hand=10, reserved=0, available=10, damaged=0)
ENTRIES: Final = {"sku": {f"{sortable(0)}lamp": 0}, "available": {f"{sortable(10)}lamp": 0}}


def test_what_is_expected_whole_is_right(spec: SpecOf) -> None:
    spec(all_stock.projection).given(REGISTERED, RECEIVED).then(LISTED, entries=ENTRIES)


@pytest.mark.parametrize(
    ("rows", "entries", "sums"),
    [
        ([None], ENTRIES, {}),
        ([replace(LISTED, on_hand=9)], ENTRIES, {}),
        ([LISTED], {}, {}),
        ([LISTED], {**ENTRIES, "sku": {"lamp": 0}}, {}),
        ([LISTED], {**ENTRIES, "more": {"lamp": 0}}, {}),
        ([LISTED], ENTRIES, {"sum:skus": {"lamp": 1}}),
    ],
)
def test_what_differs_anywhere_is_wrong(spec: SpecOf, rows: list[Any], entries: Members, sums: Members) -> None:
    given = spec(all_stock.projection).given(REGISTERED, RECEIVED)
    with pytest.raises(AssertionError):
        given.then(*rows, entries=entries, sums=sums)


def test_a_sum_that_nobody_expects_is_wrong(spec: SpecOf) -> None:
    given = spec(orders_by_status.projection).given(CREATED, CONFIRMED)
    with pytest.raises(AssertionError):
        given.then(OrderStatus(status="confirmed"))


def test_each_stream_has_a_row_or_is_said_to_have_none(spec: SpecOf) -> None:
    given = spec(orders_by_status.projection).given(CREATED).given(CONFIRMED, of="2")
    given.then(OrderStatus(status="pending"), None, sums={"sum:status": {"pending": 1}})
    with pytest.raises(ValueError, match="shorter"):
        given.then(OrderStatus(status="pending"), sums={"sum:status": {"pending": 1}})


def test_an_event_that_was_forgotten_is_named() -> None:
    forgetful = replace(orders_by_status.projection, ignored=frozenset())
    item_added = ItemAdded(order_id="1", line=CREATED.lines[0])
    with pytest.raises(KeyError, match="ItemAdded"):
        one_by_one(forgetful, [("1", CREATED), ("1", item_added)])


def test_a_handler_that_remembers_is_found_by_folding_a_batch_again() -> None:
    seen: list[Recorded[Any]] = []

    def create(row: OrderStatus | None, recorded: Recorded[Any]) -> OrderStatus:
        seen.append(recorded)
        return OrderStatus(status="pending" if len(seen) % 2 else "confirmed")

    handlers = {**orders_by_status.projection.handlers, OrderCreated: create}
    remembering = replace(orders_by_status.projection, handlers=handlers)
    again = Split(batches=[(1, "lost")])
    assert in_batches(remembering, [("1", CREATED)], again) != one_by_one(orders_by_status.projection, [("1", CREATED)])
