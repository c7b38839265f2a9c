"""A reservation is confirmed or released, whole and once; what can't be is declined in writing, as a saga needs it."""

from tests.domain.trips.parts import OTHER_TRIP, Part, of_each_part
from tests.support.given import given


@of_each_part
def test_a_reservation_is_confirmed_once(part: Part) -> None:
    held = (part.offered(3), part.reserved(2, "80.00"))
    given(part.decider, *held).when(part.confirm()).then(part.confirmed(2))


@of_each_part
def test_a_reservation_is_released_once(part: Part) -> None:
    """Nothing remembers what was released, so that a second release finds nothing reserved."""
    held = (part.offered(3), part.reserved(2, "80.00"))
    given(part.decider, *held).when(part.release()).then(part.released(2), repeatable=True)
    given(part.decider, *held, part.released(2)).when(part.release()).then(
        part.not_released("not-reserved"), repeatable=True
    )


@of_each_part
def test_what_was_confirmed_is_not_released(part: Part) -> None:
    past = (part.offered(3), part.reserved(2, "80.00"), part.confirmed(2))
    given(part.decider, *past).when(part.release()).then(part.not_released("confirmed"), repeatable=True)


@of_each_part
def test_what_was_released_is_not_confirmed(part: Part) -> None:
    past = (part.offered(3), part.reserved(2, "80.00"), part.released(2))
    given(part.decider, *past).when(part.confirm()).then(part.not_confirmed("not-reserved"), repeatable=True)


@of_each_part
def test_a_trip_ends_no_reservation_but_its_own(part: Part) -> None:
    held = (part.offered(3), part.reserved(2, "80.00"))
    given(part.decider, *held).when(part.confirm(OTHER_TRIP)).then(
        part.not_confirmed("not-reserved", OTHER_TRIP), repeatable=True
    )
    given(part.decider, *held).when(part.release(OTHER_TRIP)).then(
        part.not_released("not-reserved", OTHER_TRIP), repeatable=True
    )


@of_each_part
def test_where_nothing_was_offered_the_answer_is_written_too(part: Part) -> None:
    given(part.decider).when(part.confirm()).then(part.not_confirmed("not-reserved"), repeatable=True)
    given(part.decider).when(part.release()).then(part.not_released("not-reserved"), repeatable=True)
