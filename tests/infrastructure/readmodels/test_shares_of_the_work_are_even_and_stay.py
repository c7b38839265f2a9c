"""Who works on what: everybody comes to the same answer, it is even, and nothing moves without need."""

from collections import Counter
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.readmodels.fair_shares import Announced, Group, Worker, fair_shares

CATEGORIES = ("account", "order", "stock")
WORKERS = st.sets(st.sampled_from("abcdefgh"), min_size=1)
PARTITIONS = st.sampled_from([1, 2, 4, 8, 16])


def groups(partitions: int) -> list[Group]:
    return [f"{category} {number}/{partitions}" for category in CATEGORIES for number in range(partitions)]


def announced(workers: set[Worker], several: list[Group], shares: Mapping[Group, Worker]) -> Mapping[Worker, Announced]:
    """What these workers announce where the work is divided so, those that are gone left out."""
    return {worker: {group: shares.get(group) == worker for group in several} for worker in workers}


def loads(shares: Mapping[Group, Worker], workers: set[Worker]) -> list[int]:
    counted = Counter(shares.values())
    return sorted(counted[worker] for worker in workers)


@given(WORKERS, WORKERS, PARTITIONS)
def test_all_is_worked_on_and_none_has_two_groups_more_whoever_comes_and_goes(
    before: set[Worker], after: set[Worker], partitions: int
) -> None:
    several = groups(partitions)
    divided = fair_shares(announced(before, several, {}))
    for workers, shares in ((before, divided), (after, fair_shares(announced(after, several, divided)))):
        assert sorted(shares) == sorted(several)
        assert loads(shares, workers)[-1] - loads(shares, workers)[0] <= 1


@given(WORKERS, WORKERS, PARTITIONS)
def test_nothing_moves_when_nothing_has_changed(before: set[Worker], after: set[Worker], partitions: int) -> None:
    several = groups(partitions)
    divided = fair_shares(announced(after, several, fair_shares(announced(before, several, {}))))
    assert fair_shares(announced(after, several, divided)) == divided


@given(WORKERS, PARTITIONS)
def test_who_comes_gets_its_share_and_nothing_moves_among_the_others(before: set[Worker], partitions: int) -> None:
    several = groups(partitions)
    divided = fair_shares(announced(before, several, {}))
    shares = fair_shares(announced({*before, "new"}, several, divided))
    moved = [group for group in several if shares[group] != divided[group]]
    assert {shares[group] for group in moved} <= {"new"}
    assert len(moved) == len(several) // (len(before) + 1)


@given(WORKERS, PARTITIONS)
def test_who_goes_leaves_its_share_and_the_others_keep_theirs(workers: set[Worker], partitions: int) -> None:
    several = groups(partitions)
    divided = fair_shares(announced({*workers, "gone"}, several, {}))
    shares = fair_shares(announced(workers, several, divided))
    assert [group for group in several if divided[group] != "gone" and shares[group] != divided[group]] == []


def test_each_category_is_spread_over_those_who_come_later() -> None:
    several = groups(4)
    alone = fair_shares(announced({"a"}, several, {}))
    shares = fair_shares(announced({"a", "b"}, several, alone))
    of_category = Counter((worker, group.partition(" ")[0]) for group, worker in shares.items())
    assert of_category == {(worker, category): 2 for worker in "ab" for category in CATEGORIES}


def test_work_that_only_one_can_do_is_left_to_it() -> None:
    """Two releases side by side know the same categories with other versions of the read models."""
    old, new = {"order 0/1 old": False, "stock 0/1": False}, {"order 0/1 new": False, "stock 0/1": False}
    shares = fair_shares({"a": old, "b": new, "c": new})
    assert shares == {"order 0/1 old": "a", "order 0/1 new": "b", "stock 0/1": "c"}


def test_of_two_that_work_on_one_group_the_first_by_name_counts() -> None:
    assert fair_shares({"b": {"order 0/1": True}, "a": {"order 0/1": True}}) == {"order 0/1": "a"}
