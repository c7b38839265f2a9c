"""The background audit: in rounds it meets each stream, names what differs until it is right, and is not in the way."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from infrastructure.audits.audit_progress import AuditProgress, load_progress, store_progress
from infrastructure.audits.audit_round import MOST_NAMED, AuditRound
from infrastructure.audits.audited_folds import AuditedFolds
from infrastructure.audits.background_audit import auditing, pause_after
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.condition import LagBounds, condition_of
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import NewerFormat
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.record_reader import reader_of
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.status import AuditReport, now
from infrastructure.readmodels.stream_fold import StreamFolds
from tests.infrastructure.audits import damages
from tests.infrastructure.audits.damages import TALLY, Damage, Model, folded
from tests.infrastructure.readmodels.logbook import CODEC
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import tallies
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.support.polling import poll_until
from tests.support.redis_cluster import RedisCluster

TURNS = 40  # more than enough to meet each stream from the ids and from the log, some at a time


@pytest.fixture
def model(eventstore_uri: str, redis_uri: str, connection: redis.Redis) -> Model:
    deployed, category, opened = folded(eventstore_uri, redis_uri, lambda category: [tallies(category)])
    return Model(deployed, category, connection, opened)


@contextmanager
def rounds(model: Model) -> Iterator[AuditRound[Any]]:
    """Those of the first partition."""
    uri, projection = model.deployed.eventstore_uri, model.tallies
    keys = replace(model.keys(), partitions=2)
    stored: Any = model.redis.get(keys.checkpoint)
    with ExitStack() as stack:
        folds = stack.enter_context(StreamFolds(uri, projection, reader_of(projection, CODEC)))
        skips = stack.enter_context(closing(SkipWatch(model.deployed)))
        reader = stack.enter_context(open_reader(uri))
        store = Checkpoint.parse(stored.decode()).store
        made = AuditRound(model.redis, projection, keys, store, AuditedFolds(projection, folds, skips), reader)
        stack.callback(made.close)
        yield made


def after_turns(model: Model, progress: AuditProgress | None = None, turns: int = TURNS) -> AuditProgress:
    """How far it has come then, three streams at a time."""
    progress = progress or AuditProgress(began=now())
    with rounds(model) as audit:
        for _ in range(turns):
            progress = audit.go_on(progress, 3)
    return progress


FOUND: list[tuple[Damage, str]] = [
    (damages.changed_field, "different field total"),
    (damages.lost_id, "missing id"),
    (damages.row_lost_with_its_id, "missing row, missing id"),
    (damages.lost_entry, "missing entry owner:ann"),
]


@pytest.mark.parametrize(("damage", "said"), FOUND, ids=[damage.__name__ for damage, _ in FOUND])
def test_what_differs_is_named_until_it_is_mended(model: Model, damage: Damage, said: str) -> None:
    damage(model)
    with capture_logs() as logged:
        found = after_turns(model)
        assert found.differing == {TALLY: said}
        model.audited(model.tallies, repair=True)
        assert after_turns(model, found, 1).differing == {}
    lines = [(each["event"], each["stream"]) for each in logged if each["event"].startswith("read_model_differs")]
    stream = f"{model.category}-{TALLY}"
    assert lines == [("read_model_differs", stream), ("read_model_differs_no_more", stream)]


def test_a_round_meets_each_row_and_says_since_when(model: Model) -> None:
    began = now()
    rows: Any = model.redis.zcard(model.keys().ids)
    first = after_turns(model, turns=1)
    assert (first.streams, first.since) == (3, None)
    whole = after_turns(model, first)
    assert whole.differing == {}
    assert whole.since is not None
    assert whole.since >= began
    assert whole.streams >= rows
    assert whole.report("tally").streams == whole.streams


def test_only_so_many_are_named(model: Model) -> None:
    model.redis.zadd(model.keys().ids, {f"{number:07x}0": 0 for number in range(MOST_NAMED + 20)})
    with rounds(model) as audit:
        named = audit.go_on(AuditProgress(began=now()), 2 * MOST_NAMED).differing
    assert (len(named), set(named.values())) == (MOST_NAMED, {"extra id"})


def test_a_damaged_progress_begins_anew_and_a_newer_one_is_left_alone(model: Model) -> None:
    keys = model.keys()
    stored = AuditProgress(began=now(), turns=3, differing={TALLY: "missing row"})
    store_progress(model.redis, keys, stored)
    assert load_progress(model.redis, keys) == stored
    for rubbish in ("", "{", "[1]", '{"format":1}', '{"format":"x"}'):
        model.redis.set(keys.audit, rubbish)
        assert load_progress(model.redis, keys).turns == 0
    model.redis.delete(keys.audit)
    model.redis.rpush(keys.audit, "a list")
    assert load_progress(model.redis, keys).differing == {}
    store_progress(model.redis, keys, stored)
    assert load_progress(model.redis, keys) == stored
    assert 0 < model.redis.ttl(keys.audit) <= 7 * 86_400
    model.redis.set(keys.audit, '{"format":2,"other":1}')
    with pytest.raises(NewerFormat):
        load_progress(model.redis, keys)


def test_beside_a_worker_it_tells_what_differs_until_an_audit_has_mended_it(model: Model) -> None:
    deployed, reader = model.deployed, Reader(model.deployed)

    def differing() -> int:
        audit = reader.health(model.tallies).audit
        return -1 if audit is None else audit.differing

    with ThreadWorker(deployed, model.tallies), auditing([model.tallies], deployed, 50):
        poll_until(lambda: differing() == 0, seconds=WAIT, what="an audit that finds nothing")
        damages.changed_field(model)
        poll_until(lambda: differing() == 1, seconds=WAIT, what="the difference")
        found = condition_of(reader.health(model.tallies), None, LagBounds())
        assert found.word == "blocked"
        assert found.detail == (
            f"what Redis has of 1 stream differs from the log, such as {model.category}-{TALLY}: different field total;"
            " foldstream audit tallies --repair mends it"
        )
        [mended] = model.audited(model.tallies, sample=1, repair=True)
        assert mended.outcome == "repaired"
        poll_until(lambda: differing() == 0, seconds=WAIT, what="that it is right again")
        since = poll_until(lambda: since_of(reader.health(model.tallies).audit), seconds=WAIT, what="a whole round")
        assert since <= now()
    assert load_progress(model.redis, model.keys()).streams > 10


def since_of(audit: AuditReport | None) -> Any:
    return None if audit is None else audit.since


def test_where_it_is_off_nothing_is_told(model: Model) -> None:
    damages.changed_field(model)
    reader = Reader(model.deployed)
    with ThreadWorker(model.deployed, model.tallies), auditing([model.tallies], model.deployed, 0):
        poll_until(lambda: reader.health(model.tallies).caught_up, seconds=WAIT, what="the worker")
        assert reader.health(model.tallies).audit is None
    assert model.redis.get(model.keys().audit) is None


@pytest.mark.parametrize(
    ("streams", "seconds", "rate", "pause"),
    [(1, 0.002, 1, 1.0), (1, 0.5, 1, 50.0), (10, 0.02, 50, 0.2), (10, 1.0, 50, 2.0)],
)
def test_a_look_that_took_longer_is_followed_by_a_longer_pause(
    streams: int, seconds: float, rate: int, pause: float
) -> None:
    assert pause_after(streams, seconds, rate) == pytest.approx(pause)


def test_in_a_cluster_it_is_the_same(eventstore_uri: str, cluster: RedisCluster) -> None:
    deployed, category, opened = folded(eventstore_uri, cluster.uri, lambda category: [tallies(category)])
    keys: PartitionKeys = ProjectionKeys(deployed.namespace, "tallies").partition(1, 0)
    with connect(cluster.uri, keys.checkpoint) as connection:
        model = Model(deployed, category, connection, opened)
        damages.changed_field(model)
        assert after_turns(model).differing == {TALLY: "different field total"}
