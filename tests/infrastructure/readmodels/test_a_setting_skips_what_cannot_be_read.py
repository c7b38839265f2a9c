"""A projection that is told to skip what it can't read does so on record, until a release can read it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import redis
import structlog

from infrastructure.audits.audit import audit_of
from infrastructure.audits.findings import Findings
from infrastructure.eventstore.frames import CaughtUp
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.generations import Generations
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.member import Member
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.skips import SETTING, Skip
from infrastructure.subscriptions.frames import Happened, Undecoded
from projections.projection import Projection
from service.settings import Settings, SettingsError
from service.workers.projections import deployment_of
from tests.infrastructure.readmodels.logbook import CODEC, Logbook
from tests.infrastructure.readmodels.partitions import STORE
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import (
    AT,
    METADATA,
    Opened,
    Raised,
    Tally,
    Unheard,
    history,
    new_category,
    tallies,
)
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.infrastructure.readmodels.written_out import blocks_of, checkpoint_of
from tests.support.polling import poll_until

TALLY = f"{uuid4()}"
GOOD = CODEC.encode(Raised(by=1), METADATA)
BEYOND = GOOD.metadata.replace(b'"schema_version":1', b'"schema_version":9')
UNREADABLE = {
    "UnknownEventType": NewRecord("TallyOverturned", b"{}", b"{}"),
    "UnknownEventVersion": NewRecord("TallyRaised", GOOD.data, BEYOND),
    "UnreadableEvent": NewRecord("TallyRaised", b"{}", GOOD.metadata),
}
SERVERS = {"eventstore_uri": "esdb://127.0.0.1:1?tls=false", "redis_uri": "redis://127.0.0.1:1/0"}


@pytest.fixture
def projection() -> Projection[Tally]:
    return tallies(new_category())


@pytest.fixture
def log(eventstore_uri: str, projection: Projection[Tally]) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, projection.category) as logbook:
        logbook.open([TALLY])
        yield logbook


@pytest.fixture
def keys(namespace: str) -> PartitionKeys:
    return PartitionKeys(namespace, "tallies", 1, 0, partitions=1)


def skipping(deployed: Deployment) -> Deployment:
    return replace(deployed, skip_unreadable=frozenset({"tallies"}))


def skipped(deployed: Deployment) -> list[tuple[str, int, str]]:
    """Who skips which versions of which streams."""
    watch = SkipWatch(deployed)
    standing = watch.of("tallies").standing.values()
    watch.close()
    return [(skip.stream, skip.version, skip.actor) for own in standing for skip in own.values()]


def total_becomes(total: int, connection: redis.Redis, keys: PartitionKeys) -> None:
    def found() -> bool:
        stored: Any = connection.hget(keys.row(TALLY), "total")
        return stored is not None and json.loads(stored) == total

    poll_until(found, seconds=WAIT, what=f"a total of {total}")


def differences(projection: Projection[Tally], deployed: Deployment) -> list[Any]:
    Reader(deployed).wait_until_available(projection)
    with Findings() as findings, audit_of(projection, deployed) as audit:
        audit.run(findings, None, int)
        return list(findings)


def test_it_goes_on_after_them_and_each_is_on_record(
    log: Logbook, deployed: Deployment, projection: Projection[Tally], connection: redis.Redis, keys: PartitionKeys
) -> None:
    for event in UNREADABLE.values():
        log.write_raw(TALLY, event)
    last = log.write(TALLY, Raised(by=4))
    with structlog.testing.capture_logs() as lines, ThreadWorker(skipping(deployed), projection):
        Reader(deployed).wait_until_available(projection)
        row = Reader(deployed).row(projection, TALLY, at_least=last)
    assert row is not None
    assert (row.total, row.version) == (4, 4)
    stream = f"{projection.category}-{TALLY}"
    told = [line for line in lines if line["event"] == "event_skipped"]
    assert [(line["projection"], line["stream"], line["version"], line["error"]) for line in told] == [
        ("tallies", stream, version, error) for version, error in enumerate(UNREADABLE, 1)
    ]
    assert skipped(deployed) == [(stream, version, SETTING) for version in (1, 2, 3)]
    assert checkpoint_of(connection, keys).blocked == 0
    assert differences(projection, deployed) == []


def test_one_that_is_not_told_so_is_blocked_there_until_it_is(
    log: Logbook, deployed: Deployment, projection: Projection[Tally], connection: redis.Redis, keys: PartitionKeys
) -> None:
    log.write_raw(TALLY, UNREADABLE["UnknownEventVersion"])
    log.write(TALLY, Raised(by=4))
    log.write_raw(TALLY, UNREADABLE["UnreadableEvent"])
    with ThreadWorker(deployed, projection):
        poll_until(lambda: blocks_of(connection, keys), seconds=WAIT, what="a block")
    [block] = blocks_of(connection, keys).values()
    assert block.reason.endswith("TallyRaised in the unknown version 9")
    assert skipped(deployed) == []
    with ThreadWorker(skipping(deployed), projection):
        total_becomes(4, connection, keys)
        assert blocks_of(connection, keys) == {}
        assert [version for _, version, _ in skipped(deployed)] == [1, 3]
        assert differences(projection, deployed) == []


def test_its_skips_end_when_a_release_can_read_the_event_and_an_operator_s_do_not(
    log: Logbook, deployed: Deployment, projection: Projection[Tally], connection: redis.Redis, keys: PartitionKeys
) -> None:
    log.write(TALLY, Unheard(), Unheard(), Raised(by=4))
    with ThreadWorker(skipping(deployed), projection):
        total_becomes(4, connection, keys)
    watch = SkipWatch(deployed)
    [first, _] = watch.of(projection.name).by(SETTING)
    watch.skip(first.model_copy(update={"actor": "cli:ada"}))
    watch.close()

    def unheard(row: Tally | None, recorded: Any) -> Tally | None:
        return row and replace(row, total=row.total + 100)

    later = replace(projection, handlers={**projection.handlers, Unheard: unheard})
    with ThreadWorker(deployed, later):
        total_becomes(104, connection, keys)
        assert differences(later, deployed) == []
    assert skipped(deployed) == [(first.stream, first.version, "cli:ada")]


def test_what_the_last_release_has_skipped_without_a_record_is_mended_as_it_was(
    log: Logbook, deployed: Deployment, projection: Projection[Tally], connection: redis.Redis, keys: PartitionKeys
) -> None:
    log.write_raw(TALLY, UNREADABLE["UnknownEventType"])
    log.write(TALLY, Raised(by=4))
    with ThreadWorker(skipping(deployed), projection):
        total_becomes(4, connection, keys)
    forgotten = replace(checkpoint_of(connection, keys), skips=0)
    other = replace(skipping(deployed), namespace=f"{deployed.namespace}-copy")
    copied = replace(keys, namespace=other.namespace)
    for key in connection.scan_iter(match=f"{{{keys.namespace}:*"):
        name, value = key.decode().replace(keys.namespace, other.namespace), connection.dump(key)
        assert value is not None
        connection.restore(name, 0, value)
    connection.set(copied.checkpoint, str(forgotten))
    connection.delete(copied.row(TALLY))
    assert skipped(other) == []
    with ThreadWorker(other, projection):
        total_becomes(4, connection, copied)
    assert [version for _, version, _ in skipped(other)] == [1]


def test_what_an_operator_skips_meanwhile_is_left_out_of_the_batch_in_hand(
    projection: Projection[Tally], deployed: Deployment, connection: redis.Redis, keys: PartitionKeys
) -> None:
    """Its record comes before that of the setting, which the worker writes and then finds both."""
    stream, generations = f"{projection.category}-{TALLY}", Generations(connection, keys.namespace, projection.name)
    [generation] = generations.decided(1, STORE).followed
    workers, operators = SkipWatch(skipping(deployed)), SkipWatch(deployed)
    member = Member(skipping(deployed), projection, generation, 0, lambda: None, workers)
    assert workers.of(projection.name).standing == {}
    opened, raised, more = (
        Happened([replace(frame.events[0], stream=stream)])
        for frame in history((TALLY, Opened(owner="ann")), (TALLY, Raised(by=1)), (TALLY, Raised(by=2)))
    )
    word = {"namespace": keys.namespace, "projection": projection.name, "stream": stream, "actor": "cli:ada"}
    word |= {"version": "1", "event_id": str(raised.event_id), "why": "so it is", "at": "2026-05-01T10:00:00Z"}
    operators.skip(Skip.model_validate(word))
    unknown = Undecoded(Record(stream, 3, 40, uuid4(), "TallyOverturned", b"{}", b"{}", AT, prepare_position=40))
    member.take([opened, raised, more, unknown, CaughtUp()], 40, lambda: None)
    assert connection.hget(keys.row(TALLY), "total") == b"2"
    assert [version for _, version, _ in skipped(deployed)] == [1, 3]
    assert (checkpoint_of(connection, keys).skips, blocks_of(connection, keys)) == (
        workers.of(projection.name).revision,
        {},
    )
    member.end()
    workers.close()
    operators.close()


def test_the_setting_names_the_projections() -> None:
    settings = Settings.from_mapping({"FOLDSTREAM_SKIP_UNREADABLE": "stock_levels"})
    told = deployment_of(settings.model_copy(update=SERVERS))
    assert told.skip_unreadable == frozenset({"stock_levels"})


def test_the_setting_names_no_projection_that_there_is_not() -> None:
    settings = Settings.from_mapping({"FOLDSTREAM_SKIP_UNREADABLE": "stock_level"})
    with pytest.raises(SettingsError, match="SKIP_UNREADABLE: there is no projection 'stock_level'; there are: order_"):
        deployment_of(settings.model_copy(update=SERVERS))
