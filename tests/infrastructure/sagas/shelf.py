"""What the sagas of these tests ask: a shelf from which things are taken, and put back."""

from typing import TypeAlias, assert_never

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command, Event, stored_as


@stored_as(name="ShelfStocked", version=1)
class Stocked(Event):
    number: int


@stored_as(name="ShelfTaken", version=1)
class Taken(Event):
    errand_id: str


@stored_as(name="ShelfTakingDeclined", version=1)
class TakingDeclined(Event):
    errand_id: str


@stored_as(name="ShelfPutBack", version=1)
class PutBack(Event):
    errand_id: str


ShelfEvent: TypeAlias = Stocked | Taken | TakingDeclined | PutBack


class _ShelfCommand(Command):
    shelf_id: str

    @property
    def aggregate_id(self) -> str:
        return self.shelf_id


class Stock(_ShelfCommand):
    number: int


class Take(_ShelfCommand):
    errand_id: str


class Return(_ShelfCommand):
    errand_id: str


ShelfCommand: TypeAlias = Stock | Take | Return


def evolve_shelf(number: int, event: ShelfEvent) -> int:
    match event:
        case Stocked():
            return number + event.number
        case Taken():
            return number - 1
        case PutBack():
            return number + 1
        case TakingDeclined():
            return number
        case _:
            assert_never(event)


def decide_shelf(command: ShelfCommand, number: int) -> list[ShelfEvent]:
    match command:
        case Stock():
            if command.number < 0:
                raise Rejected("never-less", "A shelf is not stocked with less than nothing.")
            return [Stocked(number=command.number)]
        case Take():
            errand = command.errand_id
            return [Taken(errand_id=errand)] if number else [TakingDeclined(errand_id=errand)]
        case Return():
            return [PutBack(errand_id=command.errand_id)]
        case _:
            assert_never(command)


shelf = Decider[ShelfCommand, int, ShelfEvent](
    category="shelf",
    events=(Stocked, Taken, TakingDeclined, PutBack),
    initial=0,
    evolve=evolve_shelf,
    decide=decide_shelf,
    exists=lambda number: True,
)
