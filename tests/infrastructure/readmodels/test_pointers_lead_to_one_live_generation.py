"""Pure: what becomes of the pointers, from whatever state they are found in."""

import pytest

from infrastructure.readmodels.generations import Generation, Pointers

OURS, OTHER = "our-store", "another-store"
LIVE = Generation(3, 4, OURS)


def test_where_nothing_is_the_first_generation_begins() -> None:
    assert Pointers(None, None, 0).towards(4, OURS) == Pointers(None, Generation(1, 4, OURS), 1)


def test_a_generation_that_fits_is_followed() -> None:
    assert Pointers(LIVE, None, 3).towards(4, OURS) == Pointers(LIVE, None, 3)


def test_another_number_of_partitions_is_built_beside_the_live_one() -> None:
    after = Pointers(LIVE, None, 3).towards(8, OURS)
    assert after == Pointers(LIVE, Generation(4, 8, OURS), 4)
    assert after.followed == (LIVE, Generation(4, 8, OURS))


def test_what_is_being_built_already_is_built_on() -> None:
    pointers = Pointers(LIVE, Generation(4, 8, OURS), 4)
    assert pointers.towards(8, OURS) == pointers


def test_a_generation_of_another_store_is_let_go() -> None:
    assert Pointers(LIVE, None, 3).towards(4, OTHER) == Pointers(None, Generation(4, 4, OTHER), 4)


def test_what_is_being_built_from_another_store_is_let_go() -> None:
    pointers = Pointers(LIVE, Generation(4, 8, OTHER), 4)
    assert pointers.towards(8, OURS) == Pointers(LIVE, Generation(5, 8, OURS), 5)


def test_what_is_being_built_is_given_up_when_it_is_no_longer_asked_for() -> None:
    assert Pointers(LIVE, Generation(4, 8, OURS), 4).towards(4, OURS) == Pointers(LIVE, None, 4)


def test_numbers_are_never_given_twice_even_where_the_last_one_was_forgotten() -> None:
    assert Pointers(LIVE, None, 0).towards(8, OURS).building == Generation(4, 8, OURS)


@pytest.mark.parametrize("state", [Pointers(LIVE, None, 3), Pointers(None, LIVE, 3)])
def test_a_generation_that_is_given_up_is_neither_read_nor_built(state: Pointers) -> None:
    assert state.without(LIVE) == Pointers(None, None, 3)


def test_giving_up_one_leaves_the_other() -> None:
    building = Generation(4, 8, OURS)
    assert Pointers(LIVE, building, 4).without(LIVE) == Pointers(None, building, 4)
