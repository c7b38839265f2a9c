"""Pure: what becomes of the pointers, from whatever state they are found in."""

import pytest

from infrastructure.readmodels.pointers import Generation, Pointers, Wish

OURS, OTHER = "our-store", "another-store"
LIVE = Generation(3, 4, OURS)


def test_where_nothing_is_the_first_generation_begins() -> None:
    assert Pointers(None, None, 0).towards(Wish(1, 4, OURS)) == Pointers(None, Generation(1, 4, OURS), 1)


def test_a_generation_that_fits_is_followed() -> None:
    assert Pointers(LIVE, None, 3).towards(Wish(1, 4, OURS)) == Pointers(LIVE, None, 3)


def test_another_number_of_partitions_is_built_beside_the_live_one() -> None:
    after = Pointers(LIVE, None, 3).towards(Wish(1, 8, OURS))
    assert after == Pointers(LIVE, Generation(4, 8, OURS), 4)
    assert after.followed(1) == (LIVE, Generation(4, 8, OURS))


def test_what_is_being_built_already_is_built_on() -> None:
    pointers = Pointers(LIVE, Generation(4, 8, OURS), 4)
    assert pointers.towards(Wish(1, 8, OURS)) == pointers


def test_a_generation_of_another_store_is_let_go() -> None:
    assert Pointers(LIVE, None, 3).towards(Wish(1, 4, OTHER)) == Pointers(None, Generation(4, 4, OTHER), 4)


def test_what_is_being_built_from_another_store_is_let_go() -> None:
    pointers = Pointers(LIVE, Generation(4, 8, OTHER), 4)
    assert pointers.towards(Wish(1, 8, OURS)) == Pointers(LIVE, Generation(5, 8, OURS), 5)


def test_what_is_being_built_goes_on_whatever_number_of_partitions_others_ask_for() -> None:
    pointers = Pointers(LIVE, Generation(4, 8, OURS), 4)
    assert [pointers.towards(Wish(1, number, OURS)) for number in (4, 2)] == [pointers, pointers]


def test_who_does_not_insist_goes_along_with_the_partitions_there_are() -> None:
    assert Pointers(LIVE, None, 3).towards(Wish(1, 8, OURS, insists=False)) == Pointers(LIVE, None, 3)
    begun = Pointers(None, None, 3).towards(Wish(1, 8, OURS, insists=False))
    assert begun.building == Generation(4, 8, OURS)


def test_a_higher_version_begins_beside_the_live_one_and_follows_its_own_alone() -> None:
    after = Pointers(LIVE, None, 3).towards(Wish(2, 4, OURS))
    assert after == Pointers(LIVE, Generation(4, 4, OURS, version=2), 4)
    assert (after.followed(1), after.followed(2)) == ((LIVE,), (Generation(4, 4, OURS, version=2),))


def test_a_higher_version_leaves_the_live_one_be_even_where_it_is_of_another_store() -> None:
    assert Pointers(LIVE, None, 3).towards(Wish(2, 4, OTHER)).live == LIVE


def test_where_a_later_version_is_live_nothing_is_begun_nor_let_go() -> None:
    later = Generation(4, 4, OTHER, version=2)
    after = Pointers(later, Generation(5, 8, OURS), 5).towards(Wish(1, 8, OURS))
    assert after == Pointers(later, None, 5)
    assert (after.followed(1), after.later_version(1), after.later_version(2)) == ((), 2, None)


def test_numbers_are_never_given_twice_even_where_the_last_one_was_forgotten() -> None:
    assert Pointers(LIVE, None, 0).towards(Wish(1, 8, OURS)).building == Generation(4, 8, OURS)


@pytest.mark.parametrize("state", [Pointers(LIVE, None, 3), Pointers(None, LIVE, 3)])
def test_a_generation_that_is_given_up_is_neither_read_nor_built(state: Pointers) -> None:
    assert state.without(LIVE) == Pointers(None, None, 3)


def test_giving_up_one_leaves_the_other() -> None:
    building = Generation(4, 8, OURS)
    assert Pointers(LIVE, building, 4).without(LIVE) == Pointers(None, building, 4)


REBUILT = Generation(4, 4, OURS)


def test_a_rebuild_begins_beside_the_live_one_and_no_worker_follows_it() -> None:
    after = Pointers(LIVE, None, 3).rebuilt(Wish(1, 4, OURS))
    assert after == Pointers(LIVE, None, 4, rebuilding=REBUILT)
    assert (after.followed(1), after.folded(1)) == ((LIVE,), (LIVE, REBUILT))
    assert after.towards(Wish(1, 4, OURS)) == after


def test_a_rebuild_goes_on_with_what_fits_and_begins_anew_beside_anything_else() -> None:
    pointers = Pointers(LIVE, None, 4, rebuilding=REBUILT)
    assert pointers.rebuilt(Wish(1, 4, OURS)) == pointers
    for wish in (Wish(1, 8, OURS), Wish(1, 4, OTHER), Wish(2, 4, OURS)):
        expected = Generation(5, wish.partitions, wish.store, wish.version)
        assert pointers.rebuilt(wish) == Pointers(LIVE, None, 5, rebuilding=expected)


def test_a_rebuild_that_was_flipped_already_begins_anew() -> None:
    """As where a failover of Redis has forgotten a part."""
    assert Pointers(LIVE, None, 3, rebuilding=LIVE).rebuilt(Wish(1, 4, OURS)) == Pointers(
        LIVE, None, 4, rebuilding=REBUILT
    )


def test_a_flip_keeps_what_was_live_or_nothing() -> None:
    pointers = Pointers(LIVE, Generation(5, 8, OURS), 5, rebuilding=REBUILT, kept=Generation(2, 4, OURS))
    assert pointers.rebuild_flipped(keep=True) == Pointers(REBUILT, None, 5, kept=LIVE)
    assert pointers.rebuild_flipped(keep=False) == Pointers(REBUILT, None, 5)


def test_a_rollback_can_be_rolled_back() -> None:
    pointers = Pointers(REBUILT, None, 4, kept=LIVE)
    assert pointers.rolled_back() == Pointers(LIVE, None, 4, kept=REBUILT)
    assert pointers.rolled_back().rolled_back() == pointers


@pytest.mark.parametrize("former", [None, Generation(3, 4, OTHER), Generation(3, 4, OURS, version=2)])
def test_what_nobody_could_go_back_to_is_not_kept(former: Generation | None) -> None:
    assert Pointers(former, None, 4, rebuilding=REBUILT).rebuild_flipped(keep=True) == Pointers(REBUILT, None, 4)
    assert Pointers(None, REBUILT, 4, kept=former).built() == Pointers(REBUILT, None, 4)


def test_a_rebuild_from_another_store_is_let_go_and_what_is_kept_stays() -> None:
    kept, pointers = Generation(2, 4, OURS), Pointers(LIVE, None, 4, rebuilding=REBUILT, kept=Generation(2, 4, OURS))
    after = pointers.towards(Wish(1, 4, OTHER))
    assert after == Pointers(None, Generation(5, 4, OTHER), 5, kept=kept)


def test_where_a_later_version_is_live_a_rebuild_is_let_go() -> None:
    later = Generation(5, 4, OURS, version=2)
    assert Pointers(later, None, 5, rebuilding=REBUILT).towards(Wish(1, 4, OURS)) == Pointers(later, None, 5)


def test_a_number_of_a_generation_that_is_kept_or_rebuilt_is_not_given_again() -> None:
    for pointers in (Pointers(None, None, 0, rebuilding=REBUILT), Pointers(None, None, 0, kept=REBUILT)):
        assert pointers.towards(Wish(1, 4, OURS)).building == Generation(5, 4, OURS)


def test_any_of_them_can_be_given_up() -> None:
    pointers = Pointers(LIVE, None, 4, rebuilding=REBUILT, kept=Generation(2, 4, OURS))
    assert pointers.without(REBUILT) == Pointers(LIVE, None, 4, kept=Generation(2, 4, OURS))
    assert pointers.without(Generation(2, 4, OURS)) == Pointers(LIVE, None, 4, rebuilding=REBUILT)
