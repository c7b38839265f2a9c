"""How the tests here fold: in memory, event by event; and into Redis, as the workers do."""

from collections.abc import Iterator
from functools import partial

import pytest

from infrastructure.readmodels.connection import connect
from tests.support.folded_redis import FoldedRedis
from tests.support.projection_spec import Spec, SpecOf, one_by_one


@pytest.fixture(scope="session")
def folded_redis(redis_uri: str) -> Iterator[FoldedRedis]:
    """On the Redis of the run."""
    with connect(redis_uri) as connection:
        yield FoldedRedis(connection)


@pytest.fixture(params=["pure", "redis"])
def spec(request: pytest.FixtureRequest) -> SpecOf:
    """Begins the spec of a projection; each test that asks for it is run twice."""
    run = one_by_one if request.param == "pure" else request.getfixturevalue("folded_redis").fold
    return partial(Spec, run=run)
