"""Bookings that lead through all that can happen to one: what came to them, in order, from the real deciders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from domain.message import Command, Event
from domain.saga_steps import kind_of
from tests.domain.booking.agency import DAYS, NIGHTS, Agency, agency
from tests.domain.trips.parts import TRIP
from tests.domain.trips.trips import CONFIRM, DECLINE, REQUEST_CANCELLATION

Turn: TypeAlias = tuple[str | None, str | None, Sequence[Event]]
"""What came: the step that it answers, or the deadline that passed, else a message."""
WAIT: Final = "flight-word"


@dataclass
class Telling:
    """One booking, and what came to it so far."""

    run: Agency
    turns: list[Turn] = field(default_factory=list)
    backwards: bool = False

    def send(self, command: Command) -> None:
        """Somebody's word to the trip, which the booking does not hear of."""
        self.run.send(command)

    def tell(self, command: Command) -> None:
        """The same, and it does."""
        [message] = self.run.send(command)
        self.hear(message)

    def hear(self, message: Event) -> None:
        self.turns.append((None, None, [message]))
        self.run.hear(TRIP, message)

    def expire(self) -> None:
        """The deadline that it declares now passes."""
        [name] = self.run.deadlines(TRIP)
        self.turns.append((None, name, []))
        self.run.pass_deadline(TRIP)

    def go_on(self) -> bool:
        """Asks, and hears the answer; the very first one twice, and what began it, too."""
        asked = self.run.ask(TRIP, which=-1 if self.backwards else 0)
        if asked is None:
            return False
        ask, answer = asked
        self.run.reply(TRIP, ask, answer)
        heard: Turn = (ask.step, None, answer)
        first = [self.turns[0], heard] if len(self.turns) == 1 and self.place is not None else []
        self.turns += [heard, *first]
        return True

    @property
    def place(self) -> str | None:
        """The step that is asked next, or the wait; None at the end."""
        pending = self.run.pending(TRIP)
        return kind_of(pending[0].step) if pending else next(iter(self.run.deadlines(TRIP)), None)


Deed: TypeAlias = Callable[[Telling], None]


def _send(command: Command) -> Deed:
    return lambda telling: telling.send(command)


def _tell(command: Command) -> Deed:
    return lambda telling: telling.tell(command)


def _asked_and_told(command: Command) -> Deed:
    """A worker has asked and not heard when the word comes."""

    def deed(telling: Telling) -> None:
        telling.run.ask(TRIP)
        telling.tell(command)

    return deed


def _late(command: Command) -> Deed:
    """The deadline passes after a word of which the booking did not hear."""

    def deed(telling: Telling) -> None:
        telling.send(command)
        telling.expire()

    return deed


def _late_and_heard(command: Command) -> Deed:
    def deed(telling: Telling) -> None:
        telling.expire()
        telling.tell(command)

    return deed


@dataclass(frozen=True)
class Plot:
    """An agency to begin from, and what is done when the booking comes to a place for the first time."""

    begin: Callable[[], Agency]
    deeds: dict[str, Deed] = field(default_factory=dict)
    backwards: bool = False


def _seats() -> Agency:
    return agency("flight")


_CANCEL: Final = REQUEST_CANCELLATION
_PLOTS: Final[dict[str, Plot]] = {
    "confirmed while it waits": Plot(agency, {WAIT: _tell(CONFIRM)}),
    "confirmed before, answered backwards": Plot(agency, {"open": _send(CONFIRM)}, backwards=True),
    "declined while it waits": Plot(agency, {WAIT: _tell(DECLINE)}),
    "declined before": Plot(_seats, {"open": _send(DECLINE)}),
    "no word in time": Plot(_seats, {WAIT: Telling.expire}),
    "a word that was not heard in time": Plot(_seats, {WAIT: _late(CONFIRM)}),
    "a no that came while time was over": Plot(_seats, {WAIT: _late_and_heard(DECLINE)}),
    "a no that was not heard in time": Plot(_seats, {WAIT: _late(DECLINE)}),
    "cancelled before it began": Plot(_seats, {"open": _send(_CANCEL)}),
    "cancelled while it began": Plot(_seats, {"open": _asked_and_told(_CANCEL)}),
    "cancelled while cars are reserved": Plot(agency, {"reserve-car": _tell(_CANCEL)}),
    "cancelled while rooms are reserved": Plot(agency, {"reserve-room": _tell(_CANCEL)}),
    "cancelled while seats are reserved": Plot(agency, {"reserve-flight": _tell(_CANCEL)}),
    "cancelled before it is awaited": Plot(_seats, {"await": _send(_CANCEL)}),
    "cancelled while it waits": Plot(agency, {WAIT: _tell(_CANCEL)}),
    "cancelled while time was over": Plot(_seats, {WAIT: _late_and_heard(_CANCEL)}),
    "cancelled before it agrees": Plot(_seats, {WAIT: _tell(CONFIRM), "agree": _send(_CANCEL)}),
    "cars take too long": Plot(agency, {"reserve-car": Telling.expire}),
    "no cars": Plot(lambda: agency(cars=())),
    "no car on the last day": Plot(lambda: agency(cars=DAYS[:2])),
    "no room on the second night": Plot(lambda: agency(rooms=NIGHTS[:1])),
    "no rooms": Plot(lambda: agency(rooms=())),
    "too few seats": Plot(lambda: agency(seats=1)),
    "a car": Plot(lambda: agency("car")),
    "a car that is cancelled": Plot(lambda: agency("car"), {"agree": _send(_CANCEL)}),
    "a room": Plot(lambda: agency("room")),
    "a room that is cancelled": Plot(lambda: agency("room"), {"agree": _send(_CANCEL)}),
    "no room": Plot(lambda: agency("room", rooms=())),
    "a car and a room": Plot(lambda: agency("car", "room")),
    "a car and too few seats": Plot(lambda: agency("car", "flight", seats=1)),
    "a car and seats that are declined": Plot(lambda: agency("car", "flight"), {WAIT: _tell(DECLINE)}),
    "seats": Plot(_seats, {WAIT: _tell(CONFIRM)}),
    "seats that are declined": Plot(_seats, {WAIT: _tell(DECLINE)}),
    "too few of seats alone": Plot(lambda: agency("flight", seats=1)),
}


def bookings() -> dict[str, list[Turn]]:
    """Each from the request to its end, by its name."""
    return {name: _told(plot) for name, plot in _PLOTS.items()}


def _told(plot: Plot) -> list[Turn]:
    telling, deeds = Telling(plot.begin(), backwards=plot.backwards), dict(plot.deeds)
    [requested] = telling.run.messages(TRIP)
    telling.hear(requested)
    for _ in range(200):
        place = telling.place
        if place in deeds:
            deeds.pop(place)(telling)
        elif not telling.go_on():
            return telling.turns
    raise AssertionError(f"it does not end: {telling.run.own(TRIP)[-3:]}")
