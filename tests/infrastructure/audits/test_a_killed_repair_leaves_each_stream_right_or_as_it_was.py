"""A repair that is killed at any instruction: what it has mended is whole, the rest is as it was, and mended next."""

from functools import partial
from typing import Any

import pytest
import redis

from tests.infrastructure.audits.damages import Model, folded
from tests.infrastructure.audits.killable_repair import KillableRepair
from tests.infrastructure.readmodels.reader import WAIT
from tests.infrastructure.readmodels.tallies import tallies
from tests.support.polling import poll_until

Contents = dict[str, Any]
STEPS = (1, 8, 20)
"""Streams of some forty that are mended when the repair is killed."""


@pytest.fixture
def model(eventstore_uri: str, redis_uri: str, connection: redis.Redis) -> Model:
    deployed, category, opened = folded(eventstore_uri, redis_uri, lambda category: [tallies(category)])
    return Model(deployed, category, connection, opened)


def contents(model: Model) -> Contents:
    """All keys but checkpoints."""
    found: Contents = {}
    for partition in (0, 1):
        keys = model.keys(partition=partition)
        for name in map(bytes.decode, model.redis.scan_iter(match=f"{keys.prefix}*", count=1_000)):
            if ":row:" in name or name == keys.sizes:
                found[name] = model.redis.hgetall(name)
            elif ":index:" in name or name == keys.ids:
                found[name] = model.redis.zrange(name, 0, -1, withscores=True)
    return found


def damage(model: Model) -> Contents:
    """Each row has another owner and a field too many, and is in no index; what is there then."""
    for name, held in contents(model).items():
        if ":row:" in name:
            model.redis.hset(name, mapping={"owner": '"eve"', "more": "1"})
        elif ":index:" in name:
            model.redis.zadd(name, {member: 7 for member, _ in held})
    return contents(model)


def is_mended(model: Model, right: Contents, rows: int) -> bool:
    """Whether so many rows are."""
    found = [name for name, held in contents(model).items() if ":row:" in name and held == right[name]]
    return len(found) >= rows


def test_at_each_step(model: Model) -> None:
    right, cut = contents(model), 0
    for step in STEPS:
        wrong = damage(model)
        with KillableRepair(model.deployed, model.category) as repair:
            poll_until(partial(is_mended, model, right, step), seconds=WAIT, what=f"{step} rows")
            cut += not repair.has_ended
        rows = {name: held for name, held in contents(model).items() if ":row:" in name}
        assert [name for name, held in rows.items() if held not in (right[name], wrong[name])] == []
        assert {each.outcome for each in model.audited(model.tallies, repair=True)} <= {"repaired"}
        assert contents(model) == right
    assert cut > 0, "none was killed before its end"
