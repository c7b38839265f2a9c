"""A shop in memory: fulfilments that ask the real deciders."""

from typing import Any, Final, get_args

from domain.accounts.account import AccountCommand
from domain.accounts.account import decider as accounts
from domain.decider import Decider
from domain.fulfilment.saga import saga
from domain.message import Command
from domain.ordering.order import OrderCommand
from domain.ordering.order import decider as orders
from domain.stock.stock import StockCommand
from domain.stock.stock import decider as stocks
from tests.domain.simulation import Simulation

DECIDERS: Final[dict[type[Command], Decider[Any, Any, Any]]] = {
    **dict.fromkeys(get_args(OrderCommand), orders),
    **dict.fromkeys(get_args(AccountCommand), accounts),
    **dict.fromkeys(get_args(StockCommand), stocks),
}


class Shop(Simulation):
    """Orders, stock and accounts; an instance is named by its order."""

    def __init__(self) -> None:
        super().__init__(saga, DECIDERS)
