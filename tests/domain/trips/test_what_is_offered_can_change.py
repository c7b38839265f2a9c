"""An offer says how many there are at which price from now on; it never takes back what is reserved."""

from tests.domain.trips.parts import Part, of_each_part
from tests.support.given import given


@of_each_part
def test_a_first_offer_opens_it(part: Part) -> None:
    given(part.decider).when(part.offer(3)).then(part.introduced(), part.offered(3))
    assert not part.decider.exists(part.decider.initial)
    assert part.decider.exists(part.decider.fold([part.offered(3)]))


@of_each_part
def test_the_same_offer_changes_nothing(part: Part) -> None:
    given(part.decider, part.offered(3)).when(part.offer(3)).then()


@of_each_part
def test_capacity_price_and_currency_may_change(part: Part) -> None:
    given(part.decider, part.offered(3)).when(part.offer(4)).then(part.offered(4))
    given(part.decider, part.offered(3)).when(part.offer(3, "45.00")).then(part.offered(3, "45.00"))
    given(part.decider, part.offered(3)).when(part.offer(3, "4500", "JPY")).then(part.offered(3, "4500", "JPY"))


@of_each_part
def test_the_price_has_the_currencys_decimals(part: Part) -> None:
    given(part.decider).when(part.offer(3, "40.0")).refuses("malformed")
    given(part.decider).when(part.offer(3, "40.00", "JPY")).refuses("malformed")
    given(part.decider).when(part.offer(3, "0.00")).then(part.introduced(), part.offered(3, "0.00"))


@of_each_part
def test_what_is_reserved_or_sold_stays_in_the_capacity(part: Part) -> None:
    held = (part.offered(3), part.reserved(2, "80.00"))
    given(part.decider, *held).when(part.offer(1)).refuses("capacity-taken")
    given(part.decider, *held, part.confirmed(2)).when(part.offer(1)).refuses("capacity-taken")
    given(part.decider, *held).when(part.offer(2)).then(part.offered(2))
    given(part.decider, *held, part.released(2)).when(part.offer(0)).then(part.offered(0))


@of_each_part
def test_what_only_declined_was_never_offered(part: Part) -> None:
    declined = part.not_reserved(1, 0, "not-offered")
    assert not part.decider.exists(part.decider.fold([declined]))
    given(part.decider, declined).when(part.offer(3)).then(part.introduced(), part.offered(3))
