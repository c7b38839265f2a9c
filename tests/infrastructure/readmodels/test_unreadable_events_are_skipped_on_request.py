"""A projection that is told to skip what it can't read goes on, and says in the log what it left out."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
import structlog

from infrastructure.eventstore.record import NewRecord
from infrastructure.readmodels.follower import Deployment
from projections.projection import Projection
from service.settings import Settings, SettingsError
from service.workers.projections import deployment_of
from tests.infrastructure.readmodels.logbook import CODEC, Logbook
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.tallies import METADATA, Raised, Tally, new_category, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
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
def deployed(eventstore_uri: str, redis_uri: str) -> Deployment:
    return deployment(eventstore_uri, redis_uri, f"test-{uuid4()}")


def test_it_goes_on_after_them_and_logs_each(log: Logbook, deployed: Deployment, projection: Projection[Tally]) -> None:
    positions = [log.write_raw(TALLY, event) for event in UNREADABLE.values()]
    last = log.write(TALLY, Raised(by=4))
    skipping = replace(deployed, skip_unreadable=frozenset({projection.name}))
    with structlog.testing.capture_logs() as lines, ThreadWorker(skipping, projection):
        Reader(skipping).wait_until_available(projection)
        row = Reader(skipping).row(projection, TALLY, at_least=last)
    assert row is not None
    assert (row.total, row.version) == (4, 4)
    stream = f"{projection.category}-{TALLY}"
    assert [
        (line["projection"], line["error"], line["stream"], line["version"], line["position"])
        for line in lines
        if line["event"] == "event_skipped"
    ] == [
        (projection.name, error, stream, version, position)
        for version, (error, position) in enumerate(zip(UNREADABLE, positions, strict=True), 1)
    ]


def test_one_that_is_not_told_so_stops_at_an_unknown_version_and_others_go_on(
    log: Logbook, deployed: Deployment, projection: Projection[Tally]
) -> None:
    log.write_raw(TALLY, UNREADABLE["UnknownEventVersion"])
    last = log.write(TALLY, Raised(by=4))
    skips = tallies(projection.category, "skips")
    one_skips = replace(deployed, skip_unreadable=frozenset({"skips"}))
    reader = Reader(deployed)
    with ThreadWorker(one_skips, projection, skips):
        reader.wait_until_available(skips)
        row = reader.row(skips, TALLY, at_least=last)
        failure = poll_until(lambda: reader.health(projection).failure, seconds=20, what="a failure")
    assert row is not None
    assert row.total == 4
    assert failure is not None
    assert "TallyRaised in the unknown version 9" in failure.reason


def test_the_setting_names_the_projections() -> None:
    settings = Settings.from_mapping({"FOLDSTREAM_SKIP_UNREADABLE": "stock_levels"})
    told = deployment_of(settings.model_copy(update=SERVERS))
    assert told.skip_unreadable == frozenset({"stock_levels"})


def test_the_setting_names_no_projection_that_there_is_not() -> None:
    settings = Settings.from_mapping({"FOLDSTREAM_SKIP_UNREADABLE": "stock_level"})
    with pytest.raises(SettingsError, match="SKIP_UNREADABLE: there is no projection 'stock_level'; there are: order_"):
        deployment_of(settings.model_copy(update=SERVERS))
