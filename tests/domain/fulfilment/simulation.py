"""A shop in memory: fulfilments that ask the real deciders."""

from typing import Any, Final, TypeAlias, get_args

from domain.accounts.account import AccountCommand
from domain.accounts.account import decider as accounts
from domain.decider import Decider
from domain.fulfilment.events import FulfilmentEvent
from domain.fulfilment.saga import saga
from domain.fulfilment.state import State
from domain.message import Command
from domain.ordering.order import OrderCommand
from domain.ordering.order import decider as orders
from domain.saga import Saga
from domain.stock.stock import StockCommand
from domain.stock.stock import decider as stocks
from tests.domain.simulation import Simulation

DECIDERS: Final[dict[type[Command], Decider[Any, Any, Any]]] = {
    **dict.fromkeys(get_args(OrderCommand), orders),
    **dict.fromkeys(get_args(AccountCommand), accounts),
    **dict.fromkeys(get_args(StockCommand), stocks),
}
Version: TypeAlias = Saga[State, FulfilmentEvent]


class Shop(Simulation):
    """Orders, stock and accounts; an instance is named by its order, and all run on one version."""

    def __init__(self, version: Version = saga) -> None:
        super().__init__(version, DECIDERS)
