"""Pointers and keys of two versions of a projection, and of workers with two numbers of partitions, in Redis."""

import pytest
import redis

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.generations import Generations
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pause_readers import PauseWatch
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.wanted import StoreIdentity, Wanted
from projections.projection import Projection
from tests.infrastructure.readmodels.tallies import Tally, tallies
from tests.infrastructure.readmodels.workers import deployment

STORE = "store-1"
FIRST, SECOND = Generation(1, 1, STORE), Generation(2, 1, STORE, version=2)


@pytest.fixture
def first(connection: redis.Redis, namespace: str) -> Generations:
    return Generations(connection, namespace, "tallies", 1)


@pytest.fixture
def second(connection: redis.Redis, namespace: str) -> Generations:
    return Generations(connection, namespace, "tallies", 2)


def make_live(generations: Generations, generation: Generation) -> None:
    for partition in range(generation.partitions):
        generations.mark_caught_up(generation, partition)
    assert generations.is_live(generation)


def leave_rows(connection: redis.Redis, namespace: str, *generations: Generation) -> dict[Generation, str]:
    """A row of each; its key."""
    rows = {
        each: ProjectionKeys(namespace, "tallies", each.version).partition(each.number, 0).row("a")
        for each in generations
    }
    for key in rows.values():
        connection.set(key, "x")
    return rows


def test_each_is_wanted_by_its_own_version_alone(first: Generations, second: Generations) -> None:
    assert (first.decided(1, STORE).followed, second.decided(1, STORE).followed) == ((FIRST,), (SECOND,))
    make_live(first, FIRST)
    assert (first.decided(1, STORE).followed, second.decided(1, STORE).followed) == ((FIRST,), (SECOND,))


def test_where_a_higher_version_is_live_the_lower_one_wants_nothing(first: Generations, second: Generations) -> None:
    first.decided(1, STORE)
    make_live(first, FIRST)
    second.decided(1, STORE)
    assert first.later_version() is None
    make_live(second, SECOND)
    assert (first.decided(1, STORE).followed, first.later_version(), second.later_version()) == ((), 2, None)
    assert (first.decided(1, "store-2").followed, second.is_live(SECOND)) == ((), True)


def test_where_the_pointer_to_a_higher_version_is_removed_the_lower_one_begins_anew(
    connection: redis.Redis, namespace: str, first: Generations, second: Generations
) -> None:
    """As an operator does who goes back to the release before."""
    first.decided(1, STORE)
    second.decided(1, STORE)
    make_live(second, SECOND)
    connection.delete(ProjectionKeys(namespace, "tallies").live)
    anew = Generation(3, 1, STORE)
    assert first.decided(1, STORE).followed == (anew,)
    make_live(first, anew)


def test_a_lower_version_that_catches_up_later_does_not_take_the_pointer_back(
    connection: redis.Redis, namespace: str, first: Generations, second: Generations
) -> None:
    """Nor where Redis remembers again that it was being built, as from an older copy of a key."""
    first.decided(1, STORE)
    second.decided(1, STORE)
    make_live(second, SECOND)
    first.mark_caught_up(FIRST, 0)
    assert (second.is_live(SECOND), first.is_followed(FIRST)) == (True, False)
    connection.set(ProjectionKeys(namespace, "tallies").building, FIRST.to_json())
    first.mark_caught_up(FIRST, 0)
    assert second.is_live(SECOND)


def test_giving_up_what_a_version_builds_leaves_what_the_other_builds(first: Generations, second: Generations) -> None:
    first.decided(1, STORE)
    second.decided(1, STORE)
    second.retire(SECOND)
    assert first.decided(1, STORE).followed == (FIRST,)
    first.retire(FIRST)
    third = Generation(3, 1, STORE, version=2)
    assert second.decided(1, STORE).followed == (third,)
    assert first.decided(1, STORE).followed == (Generation(4, 1, STORE),)
    assert second.decided(1, STORE).followed == (third,)


def test_what_the_other_version_follows_is_not_swept(
    connection: redis.Redis, namespace: str, first: Generations, second: Generations
) -> None:
    first.decided(1, STORE)
    make_live(first, FIRST)
    second.decided(1, STORE)
    rebuilt = Generation(3, 2, STORE)
    assert first.decided(2, STORE).followed == (FIRST, rebuilt)
    leave_rows(connection, namespace, FIRST, SECOND, rebuilt)
    assert (second.sweep([SECOND]), first.sweep([FIRST, rebuilt])) == (0, 0)
    make_live(first, rebuilt)
    assert (second.sweep([SECOND]), first.sweep([rebuilt])) == (1, 0)


def test_once_a_higher_version_is_live_all_of_the_lower_ones_is_swept(
    connection: redis.Redis, namespace: str, first: Generations, second: Generations
) -> None:
    first.decided(1, STORE)
    make_live(first, FIRST)
    second.decided(1, STORE)
    first.decided(2, STORE)
    rows = leave_rows(connection, namespace, FIRST, SECOND, Generation(3, 2, STORE))
    make_live(second, SECOND)
    assert second.sweep([SECOND]) == 2
    assert [connection.exists(key) for key in rows.values()] == [0, 1, 0]


def wanted(deployed: Deployment, projection: Projection[Tally]) -> Wanted:
    return Wanted(projection, deployed, StoreIdentity(deployed), PauseWatch(deployed), SkipWatch(deployed))


def decided(*several: Wanted) -> set[tuple[str, int, int]]:
    """What all of them follow in the end, of whom each decides many times."""
    for _ in range(5):
        for each in several:
            each.decide(leased=())
    [keys] = {frozenset(lease.partition for lease in each.leases) for each in several}
    return set(keys)


def test_of_two_numbers_of_partitions_neither_undoes_what_the_other_builds(
    eventstore_uri: str, redis_uri: str, connection: redis.Redis, namespace: str, category: str
) -> None:
    """Each worker gets its number once, the one that was started last in the end."""
    projection = tallies(category)
    one = wanted(deployment(eventstore_uri, redis_uri, namespace, partitions=1), projection)
    two = wanted(deployment(eventstore_uri, redis_uri, namespace, partitions=2), projection)
    generations = Generations(connection, namespace, projection.name)
    assert decided(one, two) == {("tallies", 1, 0)}
    generations.mark_caught_up(found(connection, namespace, "building"), 0)
    assert decided(one, two) == {("tallies", 1, 0), ("tallies", 2, 0), ("tallies", 2, 1)}
    make_live(generations, found(connection, namespace, "building"))
    assert decided(one, two) == {("tallies", 2, 0), ("tallies", 2, 1)}
    one.close()
    two.close()


def found(connection: redis.Redis, namespace: str, pointer: str) -> Generation:
    generation = Generation.from_json(connection.get(f"{{{namespace}:tallies}}:{pointer}"))
    assert generation is not None
    return generation


def test_only_the_worker_of_the_first_partition_sweeps(
    eventstore_uri: str, redis_uri: str, connection: redis.Redis, namespace: str, category: str
) -> None:
    one = wanted(deployment(eventstore_uri, redis_uri, namespace, partitions=2), tallies(category))
    assert decided(one) == {("tallies", 1, 0), ("tallies", 1, 1)}
    [row] = leave_rows(connection, namespace, Generation(0, 1, STORE)).values()
    one.decide(leased={("tallies", 1, 1)})
    assert connection.exists(row) == 1
    one.decide(leased={("tallies", 1, 0)})
    assert connection.exists(row) == 0
    one.close()


def test_a_worker_of_a_version_before_the_live_one_follows_nothing(
    eventstore_uri: str, redis_uri: str, connection: redis.Redis, namespace: str, category: str
) -> None:
    Generations(connection, namespace, "tallies", 2).decided(1, STORE)
    make_live(Generations(connection, namespace, "tallies", 2), Generation(1, 1, STORE, version=2))
    before = connection.get(f"{{{namespace}:tallies}}:live")
    past = wanted(deployment(eventstore_uri, redis_uri, namespace), tallies(category))
    assert decided(past) == set()
    assert connection.get(f"{{{namespace}:tallies}}:live") == before
    past.close()
