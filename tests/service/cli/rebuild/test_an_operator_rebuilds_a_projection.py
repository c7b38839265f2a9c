"""`foldstream rebuild` from the first build to the way back: what it prints, records, refuses and leaves alone."""

import json
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import redis
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from domain.stock.stock import SkuRegistered, StockReceived, stock_id
from domain.stream_name import stream_name
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pauses import OPERATIONS_STREAM
from service.cli.main import app
from service.cli.operator_act import Act
from service.history.sources import CODEC
from service.settings import Settings
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import metadata
from tests.service.cli.projections.conftest import environment_of
from tests.support.forked import SETTINGS
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened, descendants, is_alive

NAME = "stock_levels"
WHY = "a handler was mended"
TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"


@dataclass(frozen=True)
class Installation:
    """A namespace of its own without workers, and some stock."""

    settings: Settings
    connection: redis.Redis

    @property
    def environment(self) -> Mapping[str, str]:
        return environment_of(self.settings)

    def run(self, *arguments: str) -> Result:
        """The verb as it ended in this process; the processes that it starts are others."""
        environment = {**dict.fromkeys(SETTINGS), **self.environment}
        with capture_logs():
            return CliRunner().invoke(app, ["rebuild", NAME, *arguments], env=environment, standalone_mode=False)

    def documents(self, *arguments: str) -> list[dict[str, Any]]:
        """What it prints, line by line."""
        result = self.run(*arguments, "--json")
        assert (result.return_value, result.exception) == (0, None)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def keys(self) -> dict[bytes, Any]:
        """All keys of the namespace, with what they hold."""
        found = self.connection.scan_iter(match=f"*{self.settings.namespace}*", count=1_000)
        return {key: self.connection.dump(key) for key in found}

    def row(self, generation: int, sku: str) -> str:
        """The key of a row."""
        return ProjectionKeys(self.settings.namespace, NAME).partition(generation, 0).row(stock_id(sku))

    def acts(self) -> list[tuple[str, dict[str, Any]]]:
        """The records of what operators did here."""
        with open_reader(self.settings.eventstore) as reader:
            records = reader.page(OPERATIONS_STREAM, 0, 10_000) or ()
        told = [(record.type, dict(json.loads(record.data))) for record in records]
        return [(type_, each) for type_, each in told if each["namespace"] == self.settings.namespace]


@pytest.fixture(scope="module")
def installation(eventstore_uri: str, redis_uri: str) -> Iterator[Installation]:
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=f"rebuild-{uuid4().hex[:12]}")
    with operating(eventstore_uri) as operator, redis.Redis.from_url(redis_uri) as connection:
        for sku in ("lamp", "chair"):
            story = [SkuRegistered(sku=sku), StockReceived(sku=sku, quantity=3)]
            records = [CODEC.encode(event, metadata(event, correlation=uuid4())) for event in story]
            operator.append(stream_name("stock", stock_id(sku)), *records)
        yield Installation(settings, connection)


@pytest.fixture(scope="module")
def built(installation: Installation) -> list[dict[str, Any]]:
    """What the first build printed."""
    return installation.documents("--why", WHY)


def test_it_prints_how_far_it_is_and_what_is_read_then_and_records_it(
    installation: Installation, built: list[dict[str, Any]]
) -> None:
    *progress, done = built
    assert {name: done[name] for name in ("projection", "generation", "before", "kept")} == {
        "projection": NAME, "generation": 1, "before": None, "kept": False,
    }  # fmt: skip
    assert (progress[-1]["share"], progress[-1]["caught_up"], progress[-1]["partitions"]) == (1.0, 1, 1)
    assert list(progress[0]) == [
        "at", "projection", "generation", "share", "events_per_second", "seconds_left", "position", "end", "partitions",
        "caught_up", "failure",
    ]  # fmt: skip
    kind, record = installation.acts()[0]
    del record["at"]
    assert (kind, record) == (
        "ProjectionRebuilt",
        {
            "namespace": installation.settings.namespace, "projection": NAME, "actor": Act(None).actor, "why": WHY,
            "generation": 1, "before": None, "kept": False,
        },
    )  # fmt: skip


@pytest.mark.usefixtures("built")
def test_a_dry_run_says_what_would_be_done_and_changes_nothing(installation: Installation) -> None:
    before = installation.keys()
    [told] = installation.documents("--dry-run", "--workers", "3")
    lines = installation.run("--dry-run").stdout.splitlines()
    assert installation.keys() == before
    assert told["bytes"] > 100
    del told["bytes"], told["end"]
    assert told == {
        "projection": NAME, "live": 1, "generation": 2, "begun": False, "partitions": 1, "workers": 1, "against": None,
    }  # fmt: skip
    begun = "stock_levels: generation 1 is read now; a rebuild would begin 2: 1 partition, 1 of them at a time, "
    assert lines[0].startswith(begun)


@pytest.mark.usefixtures("built")
def test_a_stream_that_differs_is_folded_again_into_the_live_generation(installation: Installation) -> None:
    key, stream = installation.row(1, "lamp"), f"stock-{stock_id('lamp')}"
    right = installation.connection.hgetall(key)
    assert right
    installation.connection.hset(key, "received", "999")
    assert installation.run("--stream", stream, "--yes").stdout == f"stock_levels: {stream} repaired\n"
    assert installation.connection.hgetall(key) == right
    for called in (stock_id("lamp"), "stock:lamp"):
        assert installation.run("--stream", called, "--yes").stdout == f"stock_levels: {stream} is right\n"
    for unknown in (f"stock-{stock_id('nothing')}", f"acme.{stream}"):
        result = installation.run("--stream", unknown, "--yes")
        assert str(result.exception) == f"stock_levels: {unknown}: there is no such stream"


@pytest.mark.usefixtures("built")
def test_interrupted_it_ends_with_130_and_the_next_goes_on_keeps_and_rolls_back(installation: Installation) -> None:
    interrupted = Listened((*FOLDSTREAM, "rebuild", NAME, "--json"), installation.environment)
    interrupted.line("{", within=60)
    pids = descendants(interrupted.pid)
    interrupted.send(signal.SIGINT)
    assert interrupted.wait(within=60) == 130
    poll_until(lambda: not any(map(is_alive, pids)), seconds=15, what="the end of its processes")
    *_, kept = installation.documents("--keep")
    assert (kept["generation"], kept["before"], kept["kept"]) == (2, 1, True)
    back = installation.run("--rollback", "--yes", "--why", WHY).stdout.splitlines()[-1]
    assert back.startswith("stock_levels: generation 1 is read now, after ")
    assert back.endswith(" s; generation 2 is kept")
    kind, record = installation.acts()[-1]
    assert (kind, record["generation"], record["why"]) == ("ProjectionRolledBack", 1, WHY)
    assert str(installation.run("--abort", "--yes").exception) == f"{NAME}: no rebuild was begun, or it is done"


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["nothing"], "there is no projection 'nothing'; there are: order_summary, "),
        ([NAME, "--abort", "--rollback"], "give either --abort or --rollback"),
        ([NAME, "--keep", "--rollback"], "--keep has no effect with --rollback"),
        ([NAME, "--workers", "2", "--abort"], "--workers has no effect with --abort"),
        ([NAME, "--workers", "0"], "--workers"),
        ([NAME, "--yes"], "--yes belongs to --abort, --rollback and --stream"),
        ([NAME, "--dry-run", "--why", "so"], "--why has no effect with --dry-run"),
        ([NAME, "--abort"], "there is nobody to ask; --yes does it without asking"),
        ([NAME, "--rollback"], "there is nobody to ask; --yes does it without asking"),
        ([NAME, "--stream", "stock-0"], "there is nobody to ask; --yes does it without asking"),
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], refusal: str) -> None:
    said = CliRunner().invoke(app, ["rebuild", *arguments])
    assert said.exit_code == 2
    assert refusal in " ".join(said.stderr.split())


@pytest.mark.parametrize(
    ("stream", "refusal"),
    [
        (f"order-{uuid4()}", "stock_levels folds streams of stock, not 'order-"),
        (f"acme.order-{uuid4()}", "stock_levels folds streams of stock, not 'acme.order-"),
        ("acme.acme.stock-0", "is neither a stream's name nor an id"),
        ("", "is neither a stream's name nor an id"),
        ("\x1b[2J", "is neither a stream's name nor an id"),
    ],
)
def test_a_stream_that_the_projection_does_not_fold_is_wrong_usage(
    installation: Installation, stream: str, refusal: str
) -> None:
    result = installation.run("--stream", stream, "--yes")
    assert refusal in str(result.exception)


def test_servers_that_are_away_are_named(installation: Installation) -> None:
    away = installation.run("--redis", "redis://:a-secret@127.0.0.1:1/0")
    assert str(away.exception).startswith("Redis at redis://127.0.0.1:1/0 can't be used: ")
    away = installation.run("--eventstore", "esdb://127.0.0.1:1?tls=false")
    assert str(away.exception).startswith("The event store at 127.0.0.1:1 can't be used: ")
