"""An audit names each difference between Redis and the log, and mends it, whether workers go on or not."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis

from infrastructure.audits.audit import audit_of
from infrastructure.audits.findings import Finding
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.keys import ProjectionKeys
from tests.infrastructure.audits import damages
from tests.infrastructure.audits.damages import CLOSED, TALLY, UNKNOWN, Damage, Model, folded
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.tallies import Opened, Raised, raises, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until
from tests.support.redis_cluster import RedisCluster


@pytest.fixture(scope="module")
def model(eventstore_uri: str, redis_uri: str) -> Iterator[Model]:
    made = folded(eventstore_uri, redis_uri, lambda category: [tallies(category), raises(category)])
    with connect(redis_uri) as connection:
        yield Model(made[0], made[1], connection, made[2])


def test_in_a_sound_model_nothing_is_found(model: Model) -> None:
    for projection in (model.tallies, model.raises):
        assert model.audited(projection) == []
        assert model.audited(projection, sample=20) == []


ROWS: list[tuple[Damage, list[tuple[str, ...]]]] = [
    (damages.changed_field, [("different", "field", TALLY, "total")]),
    (damages.unreadable_field, [("different", "field", TALLY, "total")]),
    (damages.lost_field, [("missing", "field", TALLY, "owner")]),
    (damages.added_field, [("extra", "field", TALLY, "more")]),
    (damages.lost_row, [("missing", "row", TALLY, "")]),
    (damages.lost_id, [("missing", "id", TALLY, "")]),
    (damages.row_lost_with_its_id, [("missing", "row", TALLY, ""), ("missing", "id", TALLY, "")]),
    (damages.added_row, [("extra", "row", UNKNOWN, "")]),
    (damages.added_id, [("extra", "id", UNKNOWN, "")]),
    (damages.row_of_a_closed_tally, [("extra", "row", CLOSED, "")]),
    (damages.row_of_the_other_partition, [("extra", "row", TALLY, "")]),
    (damages.row_of_no_id, [("extra", "row", "nobody", "")]),
    (damages.row_of_another_type, [("different", "row", TALLY, "")]),
    (damages.added_row_of_another_type, [("extra", "row", UNKNOWN, "")]),
    (
        damages.index_of_another_type,
        [("missing", "entry", TALLY, "owner:ann"), ("different", "key", "", "owner:ann")],
    ),
    (damages.index_of_nothing_and_of_another_type, [("different", "key", "", "owner:eve")]),
    (damages.lost_entry, [("missing", "entry", TALLY, "owner:ann")]),
    (damages.other_score, [("different", "entry", TALLY, "owner:ann")]),
    (damages.entry_of_no_event, [("extra", "entry", "", "owner:ann")]),
    (damages.entry_that_its_event_does_not_make, [("extra", "entry", "", "owner:eve")]),
    (damages.entry_beyond_the_log, [("extra", "entry", "", "owner:eve")]),
    (damages.swapped_entry, [("missing", "entry", TALLY, "owner:ann"), ("extra", "entry", "", "owner:ann")]),
    (damages.other_size, [("different", "size", "", "owner:ann")]),
    (damages.size_of_no_index, [("different", "size", "", "owner:eve")]),
    (damages.other_number_of_rows, [("different", "count", "", "")]),
]


@pytest.mark.parametrize(("damage", "told"), ROWS, ids=[damage.__name__ for damage, _ in ROWS])
def test_each_difference_is_named_and_mended(model: Model, damage: Damage, told: list[tuple[str, ...]]) -> None:
    before = model.redis.dump(model.keys().ids), model.redis.hgetall(model.keys().sizes)
    damage(model)
    found = model.audited(model.tallies, repair=True)
    assert [(each.kind, each.what, each.stream.rpartition("-")[2], each.name) for each in found] == told
    assert [each.outcome for each in found] == ["repaired"] * len(told)
    assert model.audited(model.tallies) == []
    assert (model.redis.dump(model.keys().ids), model.redis.hgetall(model.keys().sizes)) == before


def test_values_and_place_are_told(model: Model) -> None:
    damages.changed_field(model)
    [found] = model.audited(model.tallies, repair=True)
    stored: Any = model.redis.get(model.keys().checkpoint)
    position = Checkpoint.parse(stored.decode()).position
    stream = f"{model.category}-{TALLY}"
    assert found == Finding(0, position or 0, "different", "field", stream, "total", "", "8", "7", "repaired")


def test_what_is_of_another_type_is_told(model: Model) -> None:
    damages.row_of_another_type(model)
    [found] = model.audited(model.tallies, sample=100, repair=True)
    assert (found.stored, found.folded, found.outcome) == ("a list", None, "repaired")
    damages.index_of_another_type(model)
    entry, key = model.audited(model.tallies, sample=100, repair=True)
    assert (entry.stored, key.stored, entry.outcome, key.outcome) == (None, "a string", "repaired", "repaired")
    assert model.audited(model.tallies) == []


def test_lost_sizes_are_counted_anew(model: Model) -> None:
    before: Any = model.redis.hgetall(model.keys().sizes)
    damages.lost_sizes(model)
    assert sorted(model.told(model.tallies)) == [("different", "size", "", each.decode()) for each in sorted(before)]
    model.audited(model.tallies, repair=True)
    assert model.redis.hgetall(model.keys().sizes) == before


def test_a_sample_finds_what_is_wrong_with_its_streams(model: Model) -> None:
    for partition in (0, 1):
        ids: Any = model.redis.zrange(model.keys(partition=partition).ids, 0, -1)
        for each in ids:
            model.redis.hset(model.keys(partition=partition).row(each.decode()), "total", "-1")
    sampled = model.audited(model.tallies, sample=20)
    assert 10 <= len(sampled) <= 35
    assert {(each.kind, each.what, each.name) for each in sampled} == {("different", "field", "total")}
    model.audited(model.tallies, repair=True)
    assert model.audited(model.tallies) == []


def test_a_sample_of_the_log_finds_rows_of_which_nothing_is_left(model: Model) -> None:
    model.redis.delete(model.keys().ids)
    found = model.audited(model.tallies, sample=40)
    assert {(each.kind, each.what) for each in found} == {("missing", "id")}
    model.audited(model.tallies, repair=True)
    assert model.audited(model.tallies) == []


def test_entries_that_rows_tell_no_more_are_folded_from_the_stream(model: Model) -> None:
    index = model.keys("raises").index("history:ann")
    entries: Any = model.redis.zrange(index, 0, -1)
    model.redis.zrem(index, entries[0])
    assert model.told(model.raises) == [("missing", "entry", TALLY, "history:ann")]
    model.audited(model.raises, repair=True)
    assert model.redis.zscore(index, entries[0]) == model.opened
    assert model.audited(model.raises) == []


def test_a_stream_that_was_cut_is_unverified_and_left_alone(model: Model, eventstore_uri: str) -> None:
    with Logbook(eventstore_uri, model.category) as log:
        position = log.write(UNKNOWN, Opened(owner="cut"), Raised(by=1))
    with ThreadWorker(model.deployed, model.tallies, model.raises):
        Reader(model.deployed).totals(model.tallies, [UNKNOWN], position)
    with operating(eventstore_uri) as operator:
        operator.delete(f"{model.category}-{UNKNOWN}")
    [found] = model.audited(model.tallies, repair=True)
    assert (found.kind, found.stream, found.outcome) == ("unverified", f"{model.category}-{UNKNOWN}", None)
    assert model.redis.hget(model.keys().row(UNKNOWN), "total") == b"1"


def test_it_is_mended_while_a_worker_follows_and_appends_go_on(
    eventstore_uri: str, redis_uri: str, connection: redis.Redis
) -> None:
    deployed, category, opened = folded(eventstore_uri, redis_uri, lambda category: [tallies(category)])
    model = Model(deployed, category, connection, opened)
    stop, ends = threading.Event(), list[int]()
    with Logbook(eventstore_uri, category) as log, ThreadWorker(deployed, model.tallies):
        writer = threading.Thread(target=write_until, args=(log, stop, ends))
        writer.start()
        try:
            poll_until(lambda: len(ends) > 3, seconds=20, what="appends")
            for damage in (damages.changed_owner, damages.added_field, damages.added_row, damages.swapped_entry):
                damage(model)
            found = model.audited(model.tallies, repair=True)
        finally:
            stop.set()
            writer.join(20)
        Reader(deployed).totals(model.tallies, [TALLY], ends[-1])
        assert {(each.kind, each.what, each.name) for each in found} == {
            ("different", "field", "owner"),
            ("extra", "field", "more"),
            ("extra", "row", ""),
            ("missing", "entry", "owner:ann"),
            ("extra", "entry", "owner:ann"),
        }
        assert {each.outcome for each in found} == {"repaired"}
        assert model.audited(model.tallies) == []


def write_until(log: Logbook, stop: threading.Event, ends: list[int]) -> None:
    """Begins tallies, one append after the other."""
    while not stop.is_set():
        ends.append(log.write(str(uuid4()), Opened(owner="ann"), Raised(by=1)))


def test_where_nothing_is_complete_it_says_so(eventstore_uri: str, redis_uri: str, category: str) -> None:
    deployed = deployment(eventstore_uri, redis_uri, f"audit-{uuid4().hex[:12]}")
    with pytest.raises(ReadModelUnavailable, match="no generation is complete"), audit_of(tallies(category), deployed):
        pass


def test_in_a_cluster_it_is_the_same(eventstore_uri: str, cluster: RedisCluster) -> None:
    deployed, category, opened = folded(eventstore_uri, cluster.uri, lambda category: [tallies(category)])
    with connect(cluster.uri, ProjectionKeys(deployed.namespace, "tallies").partition(1, 0).checkpoint) as connection:
        model = Model(deployed, category, connection, opened)
        assert model.audited(model.tallies) == []
        for damage in (damages.changed_field, damages.added_row, damages.swapped_entry):
            damage(model)
        found = model.audited(model.tallies, repair=True)
        assert [each.outcome for each in found] == ["repaired"] * 4
        assert model.audited(model.tallies) == []
