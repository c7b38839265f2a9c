"""An audit of everything compares each sum with what the streams contribute to it, and mends it under a worker, too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infrastructure.audits.audit import audit_of
from infrastructure.audits.findings import Finding, Findings
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import ReadModelUnavailable
from tests.infrastructure.audits.damages import TALLY, Model, folded
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.summed import GROUPS, summed
from tests.infrastructure.readmodels.tallies import Raised
from tests.infrastructure.readmodels.workers import ThreadWorker

Damage = Callable[[Model], object]
LAST = "fffffff0"
UNSUMMABLE = "-7 can't be added to ann of owners: it is no integer from 0 to 9007199254740992"


@pytest.fixture(scope="module")
def model(eventstore_uri: str, redis_uri: str) -> Iterator[Model]:
    made = folded(eventstore_uri, redis_uri, lambda category: [summed(category)])
    with connect(redis_uri) as connection:
        yield Model(made[0], made[1], connection, made[2])


def audited(model: Model, sample: int | None = None, *, repair: bool = False) -> list[Finding]:
    return model.audited(summed(model.category), sample, repair=repair)


def groups(model: Model) -> dict[str, Any]:
    keys = model.keys("summed")
    dumped = {name: model.redis.dump(keys.group(name)) for name in GROUPS if name.startswith("ranked:")}
    counted = [keys.group(name) for name in GROUPS if name.startswith("sum:")]
    return dumped | {key: model.redis.hgetall(key) for key in (*counted, keys.groups)}


def other_counter(model: Model) -> None:
    model.redis.hset(model.keys("summed").group("sum:totals"), "ann", 8)


def lost_counters(model: Model) -> None:
    model.redis.delete(model.keys("summed").group("sum:totals"))


def added_counter(model: Model) -> None:
    model.redis.hset(model.keys("summed").group("sum:open"), "eve", 3)


def added_group(model: Model) -> None:
    model.redis.zadd(model.keys("summed").group("ranked:forged"), {"eve": -3})


def other_weight(model: Model) -> None:
    model.redis.zadd(model.keys("summed").group("ranked:owners"), {"ann": -8})


def other_size(model: Model) -> None:
    model.redis.hset(model.keys("summed").groups, "sum:totals", 5)


def lost_sizes(model: Model) -> None:
    model.redis.hdel(model.keys("summed").groups, "", "sum:open")


def other_type(model: Model) -> None:
    lost_counters(model)
    model.redis.set(model.keys("summed").group("sum:totals"), "rubbish")


DAMAGES: list[tuple[Damage, list[tuple[str, ...]]]] = [
    (other_counter, [("different", "sum", "sum:totals", "ann", "8", "7")]),
    (lost_counters, [("missing", "sum", "sum:totals", "ann", "None", "7"), ("missing", "sum", "sum:totals", "bob")]),
    (added_counter, [("extra", "sum", "sum:open", "eve", "3", "None")]),
    (added_group, [("extra", "sum", "ranked:forged", "eve", "3", "None")]),
    (other_weight, [("different", "sum", "ranked:owners", "ann", "8", "7")]),
    (
        other_type,
        [
            ("missing", "sum", "sum:totals", "ann", "None", "7"),
            ("missing", "sum", "sum:totals", "bob"),
            ("different", "group", "sum:totals", "", "a string", "None"),
        ],
    ),
    (other_size, [("different", "group", "sum:totals", "", "5", "2")]),
    (lost_sizes, [("missing", "group", "", "", "None", "1"), ("missing", "group", "sum:open", "", "None", "2")]),
]


@pytest.mark.parametrize(("damage", "told"), DAMAGES, ids=[damage.__name__ for damage, _ in DAMAGES])
def test_each_sum_that_differs_is_named_and_mended(model: Model, damage: Damage, told: list[tuple[str, ...]]) -> None:
    before = groups(model)
    assert audited(model) == []
    damage(model)
    assert audited(model, sample=20) == []
    found = audited(model, repair=True)
    named = [(each.kind, each.what, each.name, each.member, str(each.stored), str(each.folded)) for each in found]
    assert [each[: len(want)] for each, want in zip(named, told, strict=True)] == told
    assert [each.outcome for each in found] == ["repaired"] * len(told)
    assert (groups(model), audited(model)) == (before, [])


def test_a_sum_is_compared_at_the_position_at_which_it_was_read_while_a_worker_goes_on(model: Model) -> None:
    """Streams are looked at a hundred at a time: those that are looked at last have gone on by then."""
    other_counter(model)
    projection, reader = summed(model.category), Reader(model.deployed)
    with (
        Logbook(model.deployed.eventstore_uri, model.category) as log,
        ThreadWorker(model.deployed, projection),
        Findings() as findings,
        audit_of(projection, model.deployed) as audit,
    ):
        before = log.open([*new_tallies(250), LAST], owner="bob")
        reader.totals(projection, [LAST], before)

        def raise_last(streams: int) -> None:
            reader.totals(projection, [LAST], log.write(LAST, Raised(by=5)))

        audit.run(findings, None, raise_last)
        audit.repair(findings)
        found = list(findings)
    named = [(each.what, each.name, each.member, each.stored, each.folded, each.outcome) for each in found]
    assert named == [("sum", "sum:totals", "ann", "8", "7", "repaired")]
    assert found[0].position == before
    assert audited(model) == []


def test_where_a_stream_can_not_be_folded_any_more_its_row_tells(model: Model) -> None:
    """It stands where it stood when the stream was deleted."""
    with Logbook(model.deployed.eventstore_uri, model.category) as log:
        end = log.write("000000aa", Raised(by=1))
    with ThreadWorker(model.deployed, summed(model.category)):
        Reader(model.deployed).totals(summed(model.category), [TALLY], end)
    with operating(model.deployed.eventstore_uri) as operator:
        operator.delete(f"{model.category}-{TALLY}")
    assert [(each.kind, each.what) for each in audited(model)] == [("unverified", "stream")]
    with damaged(model, "-7"):
        told = [(each.kind, each.what, each.folded) for each in audited(model)]
        assert told[1:] == [("unverified", "sum", f"{TALLY}: {UNSUMMABLE}")]
        assert [told[0][:2]] == [("unverified", "stream")]


@contextmanager
def damaged(model: Model, total: str) -> Iterator[None]:
    """The row of the tally has a member of somebody else's meanwhile."""
    key = model.keys("summed").row(TALLY)
    kept: Any = model.redis.hget(key, "total")
    model.redis.hset(key, "total", total)
    yield
    model.redis.hset(key, "total", kept)


def test_sums_that_can_not_be_read_are_told(model: Model) -> None:
    model.redis.hset(model.keys("summed").group("sum:totals"), "ann", "seven")
    with pytest.raises(ReadModelUnavailable, match="its sums can't be read: invalid literal"):
        audited(model)
