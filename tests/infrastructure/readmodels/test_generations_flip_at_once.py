"""Building, flipping, giving up and sweeping of generations, on a running Redis."""

import pytest
import redis

from infrastructure.readmodels.generations import Generations
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pointers import Generation

STORE = "store-1"
FIRST = Generation(1, 2, STORE)


@pytest.fixture
def generations(connection: redis.Redis, namespace: str) -> Generations:
    return Generations(connection, namespace, "tallies")


def keys_of(connection: redis.Redis, namespace: str) -> set[str]:
    return {key.decode() for key in connection.scan_iter(match=f"{{{namespace}:tallies*")}


def test_workers_that_ask_at_once_build_the_same(connection: redis.Redis, namespace: str) -> None:
    several = [Generations(connection, namespace, "tallies") for _ in range(3)]
    assert [each.decided(2, STORE).followed for each in several] == [(FIRST,)] * 3


def test_it_is_read_once_every_partition_has_caught_up(generations: Generations) -> None:
    generations.decided(2, STORE)
    generations.mark_caught_up(FIRST, 0)
    generations.mark_caught_up(FIRST, 0)
    assert not generations.is_live(FIRST)
    generations.mark_caught_up(FIRST, 1)
    assert generations.is_live(FIRST)
    assert generations.decided(2, STORE).followed == (FIRST,)


def test_the_live_one_is_followed_until_the_next_one_has_caught_up(generations: Generations) -> None:
    generations.decided(2, STORE)
    generations.mark_caught_up(FIRST, 0)
    generations.mark_caught_up(FIRST, 1)
    second = Generation(2, 1, STORE)
    assert generations.decided(1, STORE).followed == (FIRST, second)
    assert generations.is_live(FIRST)
    generations.mark_caught_up(second, 0)
    assert generations.decided(1, STORE).followed == (second,)
    assert not generations.is_followed(FIRST)


def test_one_that_is_given_up_does_not_become_live(generations: Generations) -> None:
    generations.decided(1, STORE)
    given_up = Generation(1, 1, STORE)
    generations.retire(given_up)
    generations.mark_caught_up(given_up, 0)
    assert not generations.is_live(given_up)
    assert generations.decided(1, STORE).followed == (Generation(2, 1, STORE),)


def test_a_store_of_another_identity_takes_the_pointer_away(generations: Generations) -> None:
    generations.decided(1, STORE)
    live = Generation(1, 1, STORE)
    generations.mark_caught_up(live, 0)
    assert generations.decided(1, "store-2").followed == (Generation(2, 1, "store-2"),)
    assert not generations.is_live(live)


def test_only_older_generations_that_nobody_follows_are_swept(
    connection: redis.Redis, namespace: str, generations: Generations
) -> None:
    keys = ProjectionKeys(namespace, "tallies")
    for number in (1, 2, 3, 10):
        connection.set(keys.partition(number, 0).row("a"), "x")
    other = ProjectionKeys(namespace, "tallies_too").partition(1, 0).row("a")
    connection.set(other, "x")
    assert generations.sweep([Generation(2, 1, STORE), Generation(3, 1, STORE)]) == 1
    left = {keys.partition(number, 0).row("a") for number in (2, 3, 10)}
    assert keys_of(connection, namespace) == {*left, other}


def point(connection: redis.Redis, namespace: str, **pointers: Generation) -> None:
    """Stores these, as a rebuild does."""
    keys = ProjectionKeys(namespace, "tallies")
    for name, generation in pointers.items():
        connection.set(str(getattr(keys, name)), generation.to_json())


def test_what_is_rebuilt_or_kept_is_noted_as_caught_up_and_not_read(
    connection: redis.Redis, namespace: str, generations: Generations
) -> None:
    rebuilt, kept = Generation(3, 1, STORE), Generation(1, 1, STORE)
    point(connection, namespace, live=Generation(2, 1, STORE), rebuilding=rebuilt, kept=kept)
    for each in (rebuilt, kept):
        generations.mark_caught_up(each, 0)
        assert (generations.is_live(each), generations.is_followed(each)) == (False, True)
        assert connection.smembers(ProjectionKeys(namespace, "tallies").caught_up(each.number)) == {b"0"}
    assert generations.decided(1, STORE).followed == (Generation(2, 1, STORE),)


def test_what_is_rebuilt_or_kept_is_not_swept(
    connection: redis.Redis, namespace: str, generations: Generations
) -> None:
    keys = ProjectionKeys(namespace, "tallies")
    live, rebuilt, kept = Generation(4, 1, STORE), Generation(3, 1, STORE), Generation(1, 1, STORE)
    point(connection, namespace, live=live, rebuilding=rebuilt, kept=kept)
    for number in (1, 2, 3, 4):
        connection.set(keys.partition(number, 0).row("a"), "x")
    assert generations.sweep([live]) == 1
    assert not connection.exists(keys.partition(2, 0).row("a"))


def test_pointers_that_are_none_count_as_lost(
    connection: redis.Redis, namespace: str, generations: Generations
) -> None:
    keys = ProjectionKeys(namespace, "tallies")
    connection.rpush(keys.live, "x")
    connection.set(keys.rebuilding, "[]")
    connection.hset(keys.kept, "x", "y")
    assert generations.decided(1, STORE).followed == (Generation(1, 1, STORE),)
    assert not generations.is_live(Generation(1, 1, STORE))
    generations.mark_caught_up(Generation(1, 1, STORE), 0)
    assert generations.is_live(Generation(1, 1, STORE))


def test_names_that_are_patterns_too_are_taken_literally(connection: redis.Redis, namespace: str) -> None:
    odd = ProjectionKeys(f"{namespace}[*]?", "tallies")
    innocent = ProjectionKeys(f"{namespace}*xy", "tallies").partition(1, 0).row("a")
    connection.set(odd.partition(1, 0).row("a"), "x")
    connection.set(innocent, "x")
    generations = Generations(connection, f"{namespace}[*]?", "tallies")
    assert generations.sweep([Generation(2, 1, STORE)]) == 1
    assert connection.get(innocent) == b"x"
