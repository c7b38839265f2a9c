"""Any run, whatever is short, repeated, lost, late or cancelled on the way, ends with everything accounted for."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.booking.events import BookingCompleted, PartMissing, PartName, PartOverdue, PartReturned, PartSecured
from domain.message import Command, Event
from domain.money import Money
from domain.trips.part import Confirmed, Released, Reserved
from domain.trips.trip_commands import ConfirmFlight, DeclineFlight, RequestTrip, RequestTripCancellation
from domain.trips.trip_events import (
    BookingBegun,
    FlightDeadlinePassed,
    FlightDeclined,
    TripBooked,
    TripCancellationRequested,
    TripCancelled,
)
from tests.domain.booking.agency import DAYS, DECIDERS, NIGHTS, Agency
from tests.domain.trips.trips import REQUEST
from tests.domain.values import numbered

TRIPS: Final = tuple(numbered(n) for n in range(1, 4))
PARTS: Final[tuple[PartName, ...]] = ("car", "room", "flight")
Deed: TypeAlias = Literal["hear", "step", "ask and crash", "ask late", "expire", "confirm", "decline", "cancel"]
HOW_OFTEN: Final[dict[Deed, int]] = {
    "hear": 4,
    "step": 12,
    "ask and crash": 2,
    "ask late": 2,
    "expire": 1,
    "confirm": 2,
    "decline": 1,
    "cancel": 1,
}
DEEDS: Final = tuple(deed for deed, times in HOW_OFTEN.items() for _ in range(times))


PartT = TypeVar("PartT", Reserved, Confirmed, Released)


@dataclass(frozen=True)
class Plan:
    """What is on offer, which parts each trip wants, and what happens: who does what, and a number to choose by."""

    capacities: dict[PartName, int]
    wanted: list[tuple[PartName, ...]]
    deeds: list[tuple[Deed, str, int]]


capacities = st.fixed_dictionaries({"car": st.integers(0, 3), "room": st.integers(0, 3), "flight": st.integers(0, 6)})
parts = st.sampled_from(PARTS).flatmap(
    lambda one: st.sets(st.sampled_from(PARTS)).map(lambda more: tuple(part for part in PARTS if part in {one, *more}))
)
deeds = st.lists(
    st.tuples(st.sampled_from(DEEDS), st.sampled_from(TRIPS), st.integers(0, 20)), min_size=20, max_size=80
)
plans = st.builds(Plan, capacities, st.lists(parts, min_size=3, max_size=3), deeds)


@settings(deadline=None, max_examples=60)
@given(plans)
def test_any_run_ends_with_everything_accounted_for(plan: Plan) -> None:
    run = opened(plan)
    for deed, trip_id, number in plan.deeds:
        do(run, deed, trip_id, number)
    for trip_id in TRIPS:
        run.run(trip_id)
        while run.pass_deadline(trip_id):
            run.run(trip_id)
    for trip_id, wanted in zip(TRIPS, plan.wanted, strict=True):
        the_trip_has_ended_once(run, trip_id, wanted)
        what_was_secured_was_given_back_or_sold(run, trip_id)
        the_reason_is_the_first_there_was(run, trip_id)
    nothing_is_held_or_sold_twice(run)


def opened(plan: Plan) -> Agency:
    run = Agency()
    run.offer_cars(DAYS, plan.capacities["car"])
    run.offer_rooms(NIGHTS, plan.capacities["room"])
    run.offer_seats(plan.capacities["flight"])
    for trip_id, wanted in zip(TRIPS, plan.wanted, strict=True):
        run.send(RequestTrip(trip_id=trip_id, customer_id="ada", **{part: getattr(REQUEST, part) for part in wanted}))
    return run


def do(run: Agency, deed: Deed, trip_id: str, number: int) -> None:
    match deed:
        case "hear":
            messages = run.messages(trip_id)
            run.hear(trip_id, messages[number % len(messages)])
        case "step":
            run.step(trip_id, which=number)
        case "ask and crash":
            run.ask(trip_id, which=number)
        case "ask late":
            run.ask(trip_id, length=number % (len(run.own(trip_id)) + 1), which=number)
        case "expire":
            run.pass_deadline(trip_id)
        case _:
            run.try_to(word(deed, trip_id, number))


def word(deed: Literal["confirm", "decline", "cancel"], trip_id: str, number: int) -> Command:
    match deed:
        case "confirm":
            return ConfirmFlight(trip_id=trip_id)
        case "decline":
            return DeclineFlight(trip_id=trip_id)
        case "cancel":
            return RequestTripCancellation(trip_id=trip_id, reason=f"reason {number}")


def the_trip_has_ended_once(run: Agency, trip_id: str, wanted: tuple[PartName, ...]) -> None:
    """A booked trip has all that it wanted, and the total is what its parts cost; a cancelled one has nothing."""
    [end] = [event for event in run.streams[f"trip-{trip_id}"] if isinstance(event, TripBooked | TripCancelled)]
    assert end.total == sums(event.price for event in everything(run, Reserved) if event.trip_id == trip_id)
    sold = Counter(type(event) for event in everything(run, Confirmed) if event.trip_id == trip_id)
    needed = {"car": len(DAYS), "room": len(NIGHTS), "flight": 1}
    assert sorted(sold.values()) == (sorted(needed[part] for part in wanted) if isinstance(end, TripBooked) else [])
    assert isinstance(run.own(trip_id)[-1], BookingCompleted) == isinstance(end, TripBooked)
    assert (run.pending(trip_id), run.deadlines(trip_id)) == ([], [])


def what_was_secured_was_given_back_or_sold(run: Agency, trip_id: str) -> None:
    own = run.own(trip_id)
    secured = [(event.part, event.day) for event in own if isinstance(event, PartSecured)]
    returned = [(event.part, event.day) for event in own if isinstance(event, PartReturned)]
    if isinstance(own[-1], BookingCompleted):
        assert returned == []
    else:
        assert sorted(returned) == sorted(secured)
        order = [PARTS.index(part) for part, _ in returned]
        assert order == sorted(order, reverse=True)


def the_reason_is_the_first_there_was(run: Agency, trip_id: str) -> None:
    stream = run.streams[f"trip-{trip_id}"]
    for cancelled in (event for event in stream if isinstance(event, TripCancelled)):
        begun = any(isinstance(event, BookingBegun) for event in stream)
        assert cancelled.reason == reason_in(stream, run.own(trip_id)) if begun else cancelled.reason[:7] == "reason "


def reason_in(stream: list[Event], own: list[Event]) -> str:
    """The customer's words go before what is missing, and that before what the airline says or does not say."""
    asked = [event.reason for event in stream if isinstance(event, TripCancellationRequested)]
    missing = [f"{event.part}-unavailable" for event in own if isinstance(event, PartMissing | PartOverdue)]
    late = ["flight-not-confirmed" for event in stream if isinstance(event, FlightDeadlinePassed)]
    declined = ["flight-declined" for event in stream if isinstance(event, FlightDeclined)]
    return [*asked, *missing, *late, *declined][0]


def nothing_is_held_or_sold_twice(run: Agency) -> None:
    reserved = Counter(_key(event) for event in everything(run, Reserved))
    ended = Counter(_key(event) for event in (*everything(run, Confirmed), *everything(run, Released)))
    assert reserved == ended
    for name, stream in run.streams.items():
        decider = next((each for each in DECIDERS.values() if name.startswith(f"{each.category}-")), None)
        if decider is not None and decider.category != "trip":
            allotment = decider.fold(stream)
            assert allotment.available >= 0
            assert all(hold.confirmed for hold in allotment.holds.values())


def _key(event: Event) -> tuple[object, ...]:
    names = ("trip_id", "day", "night", "departure")
    return tuple(getattr(event, name, None) for name in names)


def everything(run: Agency, kind: type[PartT]) -> Iterable[PartT]:
    return (event for events in run.streams.values() for event in events if isinstance(event, kind))


def sums(prices: Iterable[Money]) -> tuple[Money, ...]:
    total: dict[str, Money] = {}
    for price in prices:
        total[price.currency] = total[price.currency] + price if price.currency in total else price
    return tuple(total[currency] for currency in sorted(total))
