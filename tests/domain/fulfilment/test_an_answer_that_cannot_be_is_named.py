"""An answer that can't be is an error that says what was asked and what came back; nothing is guessed."""

from typing import Final

import pytest

from domain.accounts.account import AccountCharged, ChargeRefunded
from domain.errors import DomainError, UnexpectedAnswer
from domain.fulfilment.saga import saga
from domain.message import Event
from domain.ordering.events import OrderShipped
from domain.saga import Ask
from domain.stock.stock import ReservationReleased, StockReserved
from domain.value import changed
from tests.domain.fulfilment.shops import STARTED
from tests.domain.values import ACCOUNT, ORDER, money, numbered

RESERVED: Final = StockReserved(sku="desk", order_id=ORDER, quantity=1)
NO_ANSWER: Final[list[list[Event]]] = [
    [],
    [OrderShipped(order_id=ORDER)],
    [ReservationReleased(sku="desk", order_id=ORDER, quantity=1)],
    [RESERVED, RESERVED],
    [changed(RESERVED, sku="lamp")],
    [changed(RESERVED, quantity=2)],
    [changed(RESERVED, order_id=numbered(2))],
]


@pytest.mark.parametrize("answer", NO_ANSWER)
def test_no_answer_to_a_reservation(answer: list[Event]) -> None:
    state = saga.evolve(saga.initial, STARTED)
    [ask] = saga.pending(state)
    assert isinstance(ask, Ask)
    with pytest.raises(UnexpectedAnswer) as error:
        saga.on_reply(ask, answer, state)
    assert isinstance(error.value, DomainError)
    assert (error.value.workflow, error.value.step) == ("fulfilment", "reserve:desk")
    assert error.value.answer == tuple(event.stored_name for event in answer)


@pytest.mark.parametrize(
    "answer",
    [
        AccountCharged(account_id=ACCOUNT, order_id=ORDER, amount=money("99.99")),
        AccountCharged(account_id=numbered(11), order_id=ORDER, amount=money("100.00")),
        ChargeRefunded(account_id=ACCOUNT, order_id=ORDER, amount=money("100.00")),
    ],
)
def test_no_answer_to_a_charge(answer: Event) -> None:
    state = saga.evolve(saga.initial, changed(STARTED, reservations=()))
    [ask] = saga.pending(state)
    assert isinstance(ask, Ask)
    with pytest.raises(UnexpectedAnswer, match="charge"):
        saga.on_reply(ask, [answer], state)
