"""Never more is reserved than is free, and an order holds one reservation of a SKU."""

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.errors import Rejected
from domain.stock.stock import (
    ConsumeReservation,
    ReceiveStock,
    ReleaseReservation,
    ReservationDeclined,
    StockCommand,
    StockReserved,
    WriteOffDamage,
    decider,
)
from tests.domain.stock.stocks import CONSUMED, OTHER_ORDER, RECEIVED, REGISTERED, RELEASED, RESERVED, reserve
from tests.domain.values import ORDER, numbered
from tests.support.given import given


def declined(quantity: int, available: int, order_id: str = ORDER) -> ReservationDeclined:
    return ReservationDeclined(sku="lamp", order_id=order_id, quantity=quantity, available=available)


def test_what_is_free_is_reserved_to_the_last_piece() -> None:
    given(decider, REGISTERED, RECEIVED).when(reserve(4)).then(RESERVED)
    given(decider, REGISTERED, RECEIVED).when(reserve(10)).then(StockReserved(sku="lamp", order_id=ORDER, quantity=10))


def test_more_than_is_free_is_declined_in_writing() -> None:
    given(decider, REGISTERED, RECEIVED).when(reserve(11)).then(declined(11, 10), repeatable=True)
    given(decider, REGISTERED, RECEIVED, RESERVED).when(reserve(7, OTHER_ORDER)).then(
        declined(7, 6, OTHER_ORDER), repeatable=True
    )


def test_a_sku_that_was_never_received_is_declined_in_writing() -> None:
    given(decider).when(reserve(1)).then(declined(1, 0), repeatable=True)


def test_an_order_that_holds_some_holds_it_already() -> None:
    given(decider, REGISTERED, RECEIVED, RESERVED).when(reserve(4)).then()


def test_what_was_released_is_free_again() -> None:
    given(decider, REGISTERED, RECEIVED, RESERVED, RELEASED).when(reserve(10, OTHER_ORDER)).then(
        StockReserved(sku="lamp", order_id=OTHER_ORDER, quantity=10)
    )


def test_what_was_consumed_is_gone() -> None:
    given(decider, REGISTERED, RECEIVED, RESERVED, CONSUMED).when(reserve(7, OTHER_ORDER)).then(
        declined(7, 6, OTHER_ORDER), repeatable=True
    )


ORDERS = st.integers(1, 3).map(numbered)
QUANTITIES = st.integers(1, 12)
COMMANDS: st.SearchStrategy[StockCommand] = st.one_of(
    QUANTITIES.map(lambda quantity: ReceiveStock(sku="lamp", quantity=quantity)),
    QUANTITIES.map(lambda quantity: WriteOffDamage(sku="lamp", quantity=quantity)),
    st.builds(reserve, QUANTITIES, ORDERS),
    ORDERS.map(lambda order_id: ReleaseReservation(sku="lamp", order_id=order_id)),
    ORDERS.map(lambda order_id: ConsumeReservation(sku="lamp", order_id=order_id)),
)


@settings(deadline=None, max_examples=60)
@for_all(st.lists(COMMANDS, max_size=30))
def test_whatever_is_asked_no_piece_is_held_twice(commands: list[StockCommand]) -> None:
    stock = decider.fold([REGISTERED])
    for command in commands:
        try:
            events = decider.decide(command, stock)
        except Rejected:
            continue
        for event in events:
            stock = decider.evolve(stock, event)
        assert 0 <= stock.available <= stock.on_hand
