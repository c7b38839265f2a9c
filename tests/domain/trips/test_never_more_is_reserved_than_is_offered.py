"""A trip reserves what is free, all it asks for or nothing, at the price of the moment."""

from tests.domain.trips.parts import OTHER_TRIP, Part, of_each_part
from tests.support.given import given


@of_each_part
def test_what_is_free_is_reserved_to_the_last(part: Part) -> None:
    given(part.decider, part.offered(3)).when(part.reserve(3)).then(part.reserved(3, "120.00"))


@of_each_part
def test_more_than_is_free_is_declined_in_writing(part: Part) -> None:
    given(part.decider, part.offered(3)).when(part.reserve(4)).then(
        part.not_reserved(4, 3, "sold-out"), repeatable=True
    )
    given(part.decider, part.offered(3), part.reserved(2, "80.00")).when(part.reserve(2, OTHER_TRIP)).then(
        part.not_reserved(2, 1, "sold-out", OTHER_TRIP), repeatable=True
    )


@of_each_part
def test_what_is_confirmed_is_not_free(part: Part) -> None:
    past = (part.offered(3), part.reserved(2, "80.00"), part.confirmed(2))
    given(part.decider, *past).when(part.reserve(2, OTHER_TRIP)).then(
        part.not_reserved(2, 1, "sold-out", OTHER_TRIP), repeatable=True
    )


@of_each_part
def test_what_was_released_is_free_again(part: Part) -> None:
    past = (part.offered(3), part.reserved(2, "80.00"), part.released(2))
    given(part.decider, *past).when(part.reserve(3, OTHER_TRIP)).then(part.reserved(3, "120.00", OTHER_TRIP))
    given(part.decider, *past).when(part.reserve(1)).then(part.reserved(1, "40.00"))


@of_each_part
def test_what_was_never_offered_is_declined_in_writing(part: Part) -> None:
    given(part.decider).when(part.reserve(1)).then(part.not_reserved(1, 0, "not-offered"), repeatable=True)


@of_each_part
def test_what_is_no_longer_sold_is_sold_out(part: Part) -> None:
    given(part.decider, part.offered(0)).when(part.reserve(1)).then(
        part.not_reserved(1, 0, "sold-out"), repeatable=True
    )


@of_each_part
def test_a_trip_that_holds_so_many_holds_them_already(part: Part) -> None:
    held = (part.offered(3), part.reserved(2, "80.00"))
    given(part.decider, *held).when(part.reserve(2)).then()
    given(part.decider, *held, part.confirmed(2)).when(part.reserve(2)).then()


@of_each_part
def test_a_trip_that_holds_others_is_told_so(part: Part) -> None:
    given(part.decider, part.offered(3), part.reserved(2, "80.00")).when(part.reserve(1)).then(
        part.not_reserved(1, 1, "reserved-otherwise"), repeatable=True
    )


@of_each_part
def test_a_reservation_is_made_at_the_price_of_the_moment(part: Part) -> None:
    past = (part.offered(3), part.reserved(1, "40.00"), part.offered(3, "45.50"))
    given(part.decider, *past).when(part.reserve(2, OTHER_TRIP)).then(part.reserved(2, "91.00", OTHER_TRIP))
    given(part.decider, *past).when(part.reserve(1)).then()
