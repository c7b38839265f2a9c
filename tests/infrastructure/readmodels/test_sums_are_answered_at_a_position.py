"""Sums over all partitions, read with a position token; and what is said where a part of them is lost."""

import pytest
import redis

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelBehind, ReadModelUnavailable
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.position_token import PositionToken
from projections.projection import Projection
from projections.sketch import quantile
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.summed import GROUPS, summed
from tests.infrastructure.readmodels.tallies import Closed, Raised, Tally, new_category
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until
from tests.support.positions import at

OWNERS = {"ann": 9, "bob": 5, "eve": 1}
PARTITIONS = 4


class Sums:
    """Tallies of three owners, all raised and one of them closed, which a worker has folded and stopped."""

    def __init__(self, uri: str, redis_uri: str) -> None:
        self.deployed: Deployment = deployment(uri, redis_uri, f"sums-{new_category()}", PARTITIONS)
        self.projection: Projection[Tally] = summed(new_category())
        self.reader = Reader(self.deployed)
        ids = {owner: new_tallies(number) for owner, number in OWNERS.items()}
        with Logbook(uri, self.projection.category) as log:
            for owner, tallies in ids.items():
                log.open(tallies, owner)
                log.raise_all(tallies, times=OWNERS[owner])
            self.last = log.write(ids["ann"][0], Closed())
        with ThreadWorker(self.deployed, self.projection):
            self.reader.wait_until_available(self.projection)
            self.reader.sums(self.projection, "open", at_least=self.last)

    def top(self, limit: int, at_least: PositionToken | None = None, group: str = "owners") -> list[tuple[str, int]]:
        asked = self.reader.ask(
            lambda models: models.ranked(self.projection, group, limit=limit, at_least=at_least, wait=0.0)
        )
        assert at_least is None or asked.token.position >= at_least.position
        return list(asked.members)


@pytest.fixture(scope="module")
def sums(eventstore_uri: str, redis_uri: str) -> Sums:
    return Sums(eventstore_uri, redis_uri)


def test_counters_are_those_of_all_partitions(sums: Sums) -> None:
    assert sums.reader.sums(sums.projection, "open", "totals", at_least=sums.last) == {
        "open": {"ann": 8, "bob": 5, "eve": 1},
        "totals": {"ann": 8 * 45, "bob": 5 * 15, "eve": 1},
    }


def test_a_ranking_is_that_of_all_partitions(sums: Sums) -> None:
    assert sums.top(2, at(sums.last)) == [("ann", 360), ("bob", 75)]
    assert sums.top(9, group="totals") == [("45", 8), ("15", 5), ("1", 1)]


def test_a_sketch_has_the_quantiles_of_all_partitions(sums: Sums) -> None:
    sketch = sums.reader.sums(sums.projection, "sketch")["sketch"]
    assert [quantile(sketch, q) for q in (0.0, 0.3, 0.9)] == [
        pytest.approx(exact, rel=0.010001) for exact in (1, 15, 45)
    ]


def test_a_group_without_members_is_empty(sums: Sums) -> None:
    assert sums.reader.sums(sums.projection, "none", "open", "none")["none"] == {}
    assert sums.top(3, group="none") == []


def test_what_no_worker_has_folded_yet_is_not_answered(sums: Sums, eventstore_uri: str) -> None:
    with Logbook(eventstore_uri, sums.projection.category) as log:
        later = at(log.write(new_tallies(1)[0], Raised(by=1)))
    with pytest.raises(ReadModelBehind):
        sums.reader.ask(lambda models: models.sums(sums.projection, ["open"], at_least=later, wait=0))
    with pytest.raises(ReadModelBehind):
        sums.top(1, later)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_that_is_lost_is_not_answered_until_a_worker_has_mended_it(
    sums: Sums, connection: redis.Redis, group: str
) -> None:
    number, kind, name = 0, *group.split(":")
    keys = [ProjectionKeys(sums.deployed.namespace, "summed").partition(1, each) for each in range(PARTITIONS)]
    while not connection.exists(keys[number].group(group)):
        number += 1

    def answer() -> object:
        return sums.reader.sums(sums.projection, name) if kind == "sum" else sums.top(9, group=name)

    before = answer()
    connection.delete(keys[number].group(group))
    with pytest.raises(ReadModelUnavailable, match="Redis has lost a part of a"):
        answer()
    assert sums.reader.sums(sums.projection, "none") == {"none": {}}
    with ThreadWorker(sums.deployed, sums.projection):
        poll_until(lambda: connection.exists(keys[number].group(group)), seconds=20.0, what="the group to be mended")
    assert answer() == before


def test_what_is_no_group_any_more_is_mended_as_one_that_is_lost(sums: Sums, connection: redis.Redis) -> None:
    def answers() -> object:
        return sums.reader.sums(sums.projection, "open", "totals", "sketch"), sums.top(9), sums.top(9, group="totals")

    before, keys = answers(), ProjectionKeys(sums.deployed.namespace, "summed")
    named = [[keys.partition(1, each).group(group) for group in GROUPS] for each in range(PARTITIONS)]
    groups = max(([name for name in names if connection.exists(name)] for names in named), key=len)
    assert len(groups) > 2
    connection.mset(dict.fromkeys(groups, "rubbish"))
    with pytest.raises(ReadModelUnavailable, match="WRONGTYPE"):
        answers()
    with ThreadWorker(sums.deployed, sums.projection):
        poll_until(lambda: b"string" not in map(connection.type, groups), seconds=20.0, what="the mending")
    assert answers() == before
