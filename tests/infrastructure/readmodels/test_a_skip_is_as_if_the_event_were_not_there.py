"""Skips of operators take effect on what is stored, end, and stand in what is built anew, audited or mended."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import redis

from infrastructure.audits.audit import audit_of
from infrastructure.audits.findings import Findings
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.skips import Skip
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Raised, raises, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.infrastructure.readmodels.written_out import blocks_of, checkpoint_of, contents
from tests.support.polling import poll_until

TALLY, OTHER = str(uuid4()), str(uuid4())


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        logbook.open([TALLY, OTHER])
        yield logbook


class Operator:
    """Skips events of one tally, and sees what the read model holds of it."""

    def __init__(self, deployed: Deployment, connection: redis.Redis, projection: Projection[Any]) -> None:
        self._deployed = deployed
        self._watch = SkipWatch(deployed)
        self._connection = connection
        self._projection = projection
        self.keys = PartitionKeys(deployed.namespace, projection.name, 1, 0, partitions=1)

    def skip(self, version: int) -> None:
        self._watch.skip(self._word(version))

    def unskip(self, version: int) -> None:
        self._watch.unskip(self._word(version))

    def _word(self, version: int) -> Skip:
        return Skip(
            namespace=self._deployed.namespace,
            projection=self._projection.name,
            stream=f"{self._projection.category}-{TALLY}",
            version=version,
            event_id=uuid4(),
            actor="cli:ada",
            why="it is wrong",
            at=datetime.now(UTC),
        )

    def finds(self, total: int | None, *, blocked: int | None = None) -> None:
        """The total of the row, None: there is none; and the version at which the stream is blocked."""

        def found() -> tuple[int | None, int | None]:
            stored: Any = self._connection.hget(self.keys.row(TALLY), "total")
            block = blocks_of(self._connection, self.keys).get(TALLY)
            return None if stored is None else int(stored), None if block is None else block.version

        poll_until(lambda: found() == (total, blocked), seconds=WAIT, what=f"{total}, {blocked}")

    def differences(self) -> list[Any]:
        Reader(self._deployed).wait_until_available(self._projection)
        with Findings() as findings, audit_of(self._projection, self._deployed) as audit:
            audit.run(findings, None, int)
            return list(findings)

    def close(self) -> None:
        self._watch.close()


@pytest.fixture
def operator(deployed: Deployment, connection: redis.Redis, category: str) -> Iterator[Operator]:
    made = Operator(deployed, connection, tallies(category))
    yield made
    made.close()


def test_a_skipped_poison_frees_its_stream_and_blocks_it_again_when_the_skip_ends(
    log: Logbook, deployed: Deployment, connection: redis.Redis, operator: Operator
) -> None:
    log.write(TALLY, Raised(by=2), Raised(by=-1), Raised(by=4), Raised(by=-1))
    with ThreadWorker(deployed, tallies(log.category)):
        operator.finds(2, blocked=2)
        assert operator.differences() == []
        operator.skip(2)
        operator.finds(6, blocked=4)
        operator.skip(4)
        operator.finds(6)
        assert operator.differences() == []
        assert checkpoint_of(connection, operator.keys).blocked == 0
        applied = checkpoint_of(connection, operator.keys).skips
        log.write(TALLY, Raised(by=8))
        operator.finds(14)
        operator.unskip(2)
        operator.finds(2, blocked=2)
        assert operator.differences() == []
        assert checkpoint_of(connection, operator.keys).skips > applied


def test_entries_that_only_the_event_accounts_for_go_with_it_and_come_back(
    log: Logbook, deployed: Deployment, connection: redis.Redis
) -> None:
    projection = raises(log.category)
    log.write(TALLY, Raised(by=2), Raised(by=4))
    operator = Operator(deployed, connection, projection)
    with ThreadWorker(deployed, projection):
        operator.finds(6)
        before = contents(connection, operator.keys)
        operator.skip(1)
        operator.finds(4)
        entries = contents(connection, operator.keys)["index:history:ann"]
        assert [member.partition(":")[2] for member in sorted(entries, key=entries.__getitem__)] == ["0", "0", "4"]
        assert operator.differences() == []
        operator.unskip(1)
        operator.finds(6)
        assert contents(connection, operator.keys) == before
    operator.close()


def test_it_is_absent_from_what_is_built_anew_and_from_what_is_mended(
    log: Logbook, deployed: Deployment, connection: redis.Redis, operator: Operator
) -> None:
    log.write(TALLY, Raised(by=2), Raised(by=-1), Raised(by=4))
    operator.skip(2)
    operator.skip(1)
    with ThreadWorker(deployed, tallies(log.category)):
        operator.finds(4)
        connection.delete(operator.keys.row(TALLY))
        operator.finds(4)
        assert checkpoint_of(connection, operator.keys).skips > 0
        connection.delete(operator.keys.checkpoint)
        operator.keys = replace(operator.keys, generation=2)
        operator.finds(4)
        assert operator.differences() == []


def test_what_was_skipped_while_nobody_worked_is_applied_at_the_start(
    log: Logbook, deployed: Deployment, operator: Operator
) -> None:
    log.write(TALLY, Raised(by=2), Raised(by=-1), Raised(by=4))
    with ThreadWorker(deployed, tallies(log.category)):
        operator.finds(2, blocked=2)
    for version in (1, 2, 3):
        operator.skip(version)
    operator.unskip(3)
    log.write(TALLY, Raised(by=-1))
    operator.skip(4)
    with ThreadWorker(deployed, tallies(log.category)):
        operator.finds(4)
        assert operator.differences() == []


def test_where_the_log_holds_fewer_records_than_are_applied_all_is_built_anew(
    log: Logbook, deployed: Deployment, connection: redis.Redis, operator: Operator
) -> None:
    """As after an older copy of the event store was put back."""
    log.write(TALLY, Raised(by=2))
    with ThreadWorker(deployed, tallies(log.category)):
        operator.finds(2)
    applied = replace(checkpoint_of(connection, operator.keys), skips=10**9)
    connection.set(operator.keys.checkpoint, str(applied))
    operator.keys = replace(operator.keys, generation=2)
    with ThreadWorker(deployed, tallies(log.category)):
        operator.finds(2)
    assert checkpoint_of(connection, operator.keys).skips == 0
