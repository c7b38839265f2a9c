"""Rows of a tenant are folded, queried, audited and mended as those of the default one, under the same ids."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final
from uuid import uuid4

import pytest

from infrastructure.audits.audit import audit_of
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import ReadModelBehind
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.questions import OwnIndex
from projections.projection import Projection
from tests.infrastructure.audits.damages import TALLY, Model
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.tallies import Opened, Raised, new_category
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.infrastructure.views.album import Album

OWN: Final = f"acme/{TALLY}"
ALONE: Final = "0000000c"
"""Of the other tenant only."""
OWNERS: Final = ("ann", "bob")
BLOCKED: Final = "0000000e"


@pytest.fixture(scope="module")
def model(eventstore_uri: str, redis_uri: str) -> Iterator[Model]:
    category = new_category()
    deployed = deployment(eventstore_uri, redis_uri, f"tenants-{uuid4().hex[:12]}", 2)
    with Logbook(eventstore_uri, category) as log, connect(redis_uri) as connection:
        opened = log.write(TALLY, Opened(owner="ann"), Raised(by=3))
        log.write(OWN, Opened(owner="ann"), Raised(by=40))
        end = log.write(f"acme/{ALONE}", Opened(owner="bob"), Raised(by=500))
        with ThreadWorker(deployed, summed(category)):
            reader = Reader(deployed)
            reader.wait_until_available(summed(category))
            reader.totals(summed(category), [TALLY], end)
        yield Model(deployed, category, connection, opened)


def seen(model: Model, tenant: str) -> list[Any]:
    """All that a tenant can ask of the read model."""
    projection, reader = summed(model.category), Reader(model.deployed, tenant)
    indexed = [len(reader.entries(projection, f"owner:{owner}")) for owner in OWNERS]
    weights = reader.ask(lambda models: models.ranked(projection, "owners", limit=2)).members
    rows = reader.totals(projection, [TALLY, ALONE], 0)
    totals = reader.sums(projection, "totals")["totals"]
    return [rows, indexed, {owner: totals[owner] for owner in OWNERS if owner in totals}, list(weights)]


def test_each_sees_what_is_its_own(model: Model) -> None:
    assert seen(model, "default") == [{TALLY: 3}, [1, 0], {"ann": 3}, [("ann", 3)]]
    both = [{TALLY: 40, ALONE: 500}, [1, 1], {"ann": 40, "bob": 500}, [("bob", 500), ("ann", 40)]]
    assert seen(model, "acme") == both
    assert seen(model, "other") == [{}, [0, 0], {}, []]


def test_what_differs_of_one_is_named_and_mended_and_the_other_s_is_left_as_it_is(model: Model) -> None:
    projection, keys = summed(model.category), model.keys("summed")
    assert model.audited(projection) == []
    before = [seen(model, tenant) for tenant in ("default", "acme")]
    model.redis.hset(keys.row(OWN), "total", "41")
    model.redis.zrem(keys.ids, OWN)
    model.redis.delete(keys.index("acme/owner:ann"))
    model.redis.hset(keys.group("sum:acme/totals"), "ann", 8)
    found = model.audited(projection, repair=True)
    stream = f"acme.{model.category}-{TALLY}"
    assert [(each.stream, each.kind, each.what, each.outcome) for each in found] == [
        (stream, "missing", "id", "repaired"),
        (stream, "different", "field", "repaired"),
        (stream, "missing", "entry", "repaired"),
        ("", "different", "sum", "repaired"),
    ]
    assert model.audited(projection) == []
    assert [seen(model, tenant) for tenant in ("default", "acme")] == before


def test_one_stream_is_folded_again_by_the_key_of_its_row(model: Model) -> None:
    projection, keys = summed(model.category), model.keys("summed")
    model.redis.delete(keys.row(OWN))
    with audit_of(projection, model.deployed) as audit:
        told = [audit.mend(key) for key in (OWN, OWN, TALLY, f"acme/{uuid4()}", f"Acme/{TALLY}")]
    assert told == ["repaired", "is right", "is right", "there is no such stream", "there is no such stream"]


def test_a_worker_mends_the_lost_row_of_a_tenant(model: Model) -> None:
    projection, keys = summed(model.category), model.keys("summed")
    model.redis.delete(keys.row(OWN))
    with Logbook(model.deployed.eventstore_uri, model.category) as log, ThreadWorker(model.deployed, projection):
        end = log.write(OWN, Raised(by=0))
        assert Reader(model.deployed, "acme").totals(projection, [TALLY], end) == {TALLY: 40}
    assert model.audited(projection) == []


def test_a_block_of_one_s_stream_is_none_of_the_other_s_of_the_same_id(model: Model) -> None:
    projection, stream = summed(model.category), f"acme.{model.category}-{BLOCKED}"
    with Logbook(model.deployed.eventstore_uri, model.category) as log, ThreadWorker(model.deployed, projection):
        log.write(f"acme/{BLOCKED}", Opened(owner="eve"), Raised(by=-1))
        end = log.write(BLOCKED, Opened(owner="eve"), Raised(by=4))
        assert Reader(model.deployed).totals(projection, [BLOCKED], end) == {BLOCKED: 4}
        health = Reader(model.deployed).health(projection)
        assert [each.stream for part in health.partitions for each in part.blocked] == [stream]
        with pytest.raises(ReadModelBehind):
            Reader(model.deployed, "acme").row(projection, BLOCKED, end)
    assert OwnIndex("all", BLOCKED).stream(projection, "acme") == stream


def test_a_view_of_the_past_has_each_s_rows_apart(model: Model) -> None:
    album = Album(model.deployed, summed(model.category))
    album.make("then")
    found = [album.ask("then", partial(rows_of, tenant, album.projection)) for tenant in ("default", "acme", "other")]
    assert found == [[TALLY], [TALLY, ALONE], []]


async def rows_of(tenant: str, projection: Projection[Any], models: ReadModels) -> list[str]:
    rows = await models.of_tenant(tenant).rows(projection, [TALLY, ALONE])
    return [key for key, row in zip((TALLY, ALONE), rows, strict=True) if row is not None]
