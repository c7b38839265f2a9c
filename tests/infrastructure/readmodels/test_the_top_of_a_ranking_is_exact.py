"""The heaviest members over all partitions are found exactly, and mostly from the tops of the partitions alone."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
import redis

from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.top_search import TopSearch

GROUP = "ranked:products"
Parts = Sequence[dict[str, int]]


class Ranking:
    """One that is stored in so many partitions."""

    def __init__(self, connection: redis.Redis, namespace: str, parts: Parts) -> None:
        self.redis = connection
        self.generation = Generation(1, len(parts), "store-1")
        self.keys = [PartitionKeys(namespace, "sales", 1, number) for number in range(len(parts))]
        self.parts = parts
        for keys, part in zip(self.keys, parts, strict=True):
            with connection.pipeline() as pipeline:
                pipeline.hset(keys.groups, mapping={"": 1, GROUP: len(part)} if part else {"": 1})
                if part:
                    pipeline.zadd(keys.group(GROUP), {member: -weight for member, weight in part.items()})
                pipeline.execute()

    def top(self, limit: int) -> tuple[Sequence[tuple[str, int]], TopSearch]:
        """The answer, and the search that found it, in ten rounds at most."""
        search = TopSearch(GROUP, limit)
        for _ in range(10):
            found = search.take([self.replies(search, number) for number in range(len(self.keys))])
            if found is not None:
                return found, search
        raise AssertionError("it does not end")

    def replies(self, search: TopSearch, number: int) -> list[object]:
        with self.redis.pipeline() as pipeline:
            search.query(self.generation)[number](pipeline, self.keys[number])  # type: ignore[arg-type]  # not asyncio's
            return list(pipeline.execute())

    def expected(self, limit: int) -> list[tuple[str, int]]:
        whole = sum((Counter(part) for part in self.parts), Counter[str]())
        return sorted(whole.items(), key=lambda each: (-each[1], each[0]))[:limit]


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(8, 200))])
def test_it_is_that_of_all_members_added_up(seed: int, connection: redis.Redis, namespace: str) -> None:
    random = Random(seed)
    heaviest, members = random.choice((1, 3, 40, 10**6)), random.choice((1, 30, 600))
    names = [f"sku-{number}" for number in range(members)]
    parts = [
        {name: random.randint(1, heaviest) for name in names if random.random() < random.choice((0.1, 0.5, 1.0))}
        for _ in range(random.choice((1, 2, 16)))
    ]
    ranking = Ranking(connection, namespace, parts)
    for limit in (1, 10, 100, 700):
        assert list(ranking.top(limit)[0]) == ranking.expected(limit)


def test_among_equals_the_first_by_name_is_found_however_deep_it_stands(
    connection: redis.Redis, namespace: str
) -> None:
    """Of `m` nothing is read at first: it weighs as much as what is read last, and stands behind that by its name."""
    fillers = [{f"{letter}{number:02}": 5 for number in range(32)} for letter in "ab"]
    ranking = Ranking(connection, namespace, [{**fillers[0], "m": 5, "z": 10}, {**fillers[1], "m": 5}])
    assert ranking.top(1)[0] == [("m", 10)]


def falling(random: Random) -> dict[str, int]:
    """As sales are: a few are sold often, most of them now and then."""
    return {f"sku-{number:05}": 1 + int(200_000 * random.random() / (number + 1)) for number in range(5_000)}


def equal(random: Random) -> dict[str, int]:
    return {f"sku-{number:05}": 7 for number in range(5_000)}


@pytest.mark.parametrize(("part", "most"), [(falling, 800), (equal, 300)])
def test_few_members_are_read_of_many(part: object, most: int, connection: redis.Redis, namespace: str) -> None:
    assert callable(part)
    random = Random(1)
    ranking = Ranking(connection, namespace, [part(random) for _ in range(4)])
    found, search = ranking.top(10)
    assert list(found) == ranking.expected(10)
    assert search.read < most


def test_what_changes_between_rounds_is_answered_as_of_the_last(connection: redis.Redis, namespace: str) -> None:
    """A member that was read nowhere in the first round comes to the top in the second."""
    parts: Parts = [{f"sku-{number:03}": 1_000 - number for number in range(600)} for _ in range(2)]
    ranking = Ranking(connection, namespace, [parts[0], {f"other-{name}": by for name, by in parts[1].items()}])
    search = TopSearch(GROUP, 2)
    first = search.take([ranking.replies(search, number) for number in range(2)])
    assert first is None
    for keys in ranking.keys:
        connection.zadd(keys.group(GROUP), {"sku-599": -5_000})
    connection.hset(ranking.keys[1].groups, GROUP, 601)
    found = None
    for _ in range(10):
        found = found or search.take([ranking.replies(search, number) for number in range(2)])
    assert found == [("sku-599", 10_000), ("other-sku-000", 1_000)]


def test_a_ranking_that_lost_members_is_not_answered(connection: redis.Redis, namespace: str) -> None:
    ranking = Ranking(connection, namespace, [{"a": 1, "b": 2}, {"a": 1}])
    connection.zrem(ranking.keys[0].group(GROUP), "a")
    with pytest.raises(LookupError, match="Redis has lost a part of a ranking"):
        ranking.top(1)
    connection.delete(ranking.keys[0].groups)
    with pytest.raises(LookupError, match="Redis has lost a part of a ranking"):
        ranking.top(1)


def test_a_ranking_that_was_never_begun_is_empty(connection: redis.Redis, namespace: str) -> None:
    assert Ranking(connection, namespace, [{}, {}]).top(3)[0] == []
