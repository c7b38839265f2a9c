"""`foldstream poison` where no worker runs: what it shows of blocks, what it records, and what it refuses."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import pytest
import redis
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from domain.stock.stock import stock_id
from domain.stream_name import stream_name
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.record import NewRecord
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.pauses import OPERATIONS_STREAM, PAUSED, Operation
from infrastructure.readmodels.skips import SETTING, SKIPS_STREAM, Skip
from infrastructure.terminal import printable
from service.cli.operator_act import Act
from service.cli.poison.commands import app
from service.errors import BlocksUnreadable, NotBlocked, RedisUnavailable
from service.settings import Settings
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.readmodels.blocking import REASON, block_stream, make_live
from tests.infrastructure.readmodels.workers import deployment
from tests.service.cli.projections.conftest import environment_of
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import EVIL, raw
from tests.support.forked import SETTINGS

STOCK: Final = "stock_levels"
STREAM: Final = stream_name("stock", stock_id("mug-blue"))
ACTOR: Final = Act(None).actor


@dataclass(frozen=True)
class Stored:
    """A deployment whose Redis holds blocks, and that nobody works at."""

    settings: Settings
    keys: PartitionKeys
    operator: Operator
    connection: redis.Redis
    sku: str
    stream: str
    other: str

    def ran(self, *arguments: str, **given: Any) -> Result:
        """The verb as it ended in this process; on no terminal."""
        environment = {**dict.fromkeys(SETTINGS), **environment_of(self.settings)}
        with capture_logs():
            return CliRunner().invoke(app, arguments, env=environment, standalone_mode=False, **given)

    def said(self, *arguments: str, code: int = 0) -> str:
        """What it prints."""
        result = self.ran(*arguments)
        assert (result.return_value, result.exception) == (code, None)
        return result.stdout

    def answered(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.said(*arguments, "--json", code=code))

    def recorded(self) -> list[tuple[str, Skip]]:
        """The types and words of the namespace."""
        records = self.operator.reader.page(SKIPS_STREAM, 0, 10_000) or ()
        words = [(record.type, Skip.model_validate_json(record.data)) for record in records]
        return [(kind, word) for kind, word in words if word.namespace == self.settings.namespace]


@pytest.fixture
def stored(eventstore_uri: str, redis_uri: str) -> Iterator[Stored]:
    """With two blocked streams, of which the first waits at an event that takes over terminals."""
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=f"poison-{uuid4().hex[:12]}")
    sku = f"mug-{uuid4()}"
    stream, other = (stream_name("stock", each) for each in (stock_id(sku), str(uuid4())))
    keys = ProjectionKeys(settings.namespace, STOCK)
    partition = keys.partition(1, 0)
    deployed = deployment(eventstore_uri, redis_uri, settings.namespace)
    with operating(eventstore_uri) as operator, redis.Redis.from_url(redis_uri) as connection:
        for each in (stream, other):
            operator.append(each, NewRecord(EVIL, json.dumps({"sku": EVIL}).encode()), NewRecord("StockMelted", b""))
        make_live(connection, keys, store_identity(operator.reader))
        for each in (stream, other):
            block_stream(deployed, connection, partition, "stock", each.removeprefix("stock-"), 0)
        yield Stored(settings, partition, operator, connection, sku, stream, other)


def test_the_list_names_the_streams_with_what_waits(stored: Stored) -> None:
    found = stored.answered("list", STOCK)
    assert found["unreadable"] == []
    assert [(each["stream"], each["version"], each["waiting"]) for each in found["blocked"]] == [
        (stored.stream, 0, 1),
        (stored.other, 0, 1),
    ]
    first = found["blocked"][0]
    assert (first["projection"], first["generation"], first["role"], first["partition"]) == (STOCK, 1, "live", 0)
    assert (first["reason"], first["tries"], first["since"]) == (REASON, 2, "2026-03-01T15:00:00Z")
    head, *rows = stored.said("list", STOCK).splitlines()
    assert head.split()[:3] == ["projection", "generation", "stream"]
    assert [row.split()[:5] for row in rows] == [
        [STOCK, "1", "live", stream, "0"] for stream in (stored.stream, stored.other)
    ]
    assert stored.said("list", "order_summary") == "No stream is blocked.\n"
    assert len(stored.answered("list")["blocked"]) == 2


def test_one_is_shown_with_its_event_and_what_can_be_done(stored: Stored) -> None:
    shown = stored.answered("show", STOCK, f"stock:{stored.sku}")
    assert (shown["stream"], json.loads(shown["data"])) == (stored.stream, {"sku": EVIL})
    said = stored.said("show", STOCK, stored.stream)
    for part in (f"{stored.stream} waits in {STOCK}", shown["event_id"], REASON, "1 behind it", "poison skip"):
        assert part in said
    many = {"sku": "x" * 5_000}
    stored.operator.append(f"stock-{'b' * 8}", NewRecord("StockMelted", json.dumps(many).encode()))
    deployed = deployment(stored.settings.eventstore, stored.settings.redis, stored.settings.namespace)
    block_stream(deployed, stored.connection, stored.keys, "stock", "b" * 8, 0)
    long = stored.said("show", STOCK, f"stock-{'b' * 8}")
    assert "… (5,011 bytes)" in long
    assert len(long) < 4_000


def test_nothing_of_an_event_takes_over_a_terminal(stored: Stored) -> None:
    asked: tuple[tuple[str, ...], ...] = (
        ("list",),
        ("show", STOCK, stored.stream),
        ("retry", STOCK, stored.stream, "--wait", "0"),
        ("skip", STOCK, stored.stream, "--why", EVIL, "--yes", "--wait", "0"),
        ("list", "--skips"),
    )
    said = [stored.said(*words) for words in asked]
    assert [raw(each) for each in said] == [[]] * len(said)
    assert printable(EVIL) in said[-1]


def test_a_skip_is_recorded_once_with_the_event_that_blocks(stored: Stored) -> None:
    skip = ("skip", STOCK, stored.stream, "--why", "so it is", "--yes", "--wait", "0")
    answer = stored.answered(*skip)
    [(kind, word)] = stored.recorded()
    assert (kind, word.stream, word.version, word.actor, word.why) == (
        "EventSkipped",
        stored.stream,
        0,
        ACTOR,
        "so it is",
    )
    assert word.event_id == stored.operator.reader.page(stored.stream, 0, 1)[0].id  # type: ignore[index] # it is there
    assert (answer["changed"], answer["outcome"], answer["skip"]["by"]) == (True, "pending", ACTOR)
    again = stored.said(*skip)
    assert again == f"version 0 of {stored.stream} is skipped in {STOCK}: no worker has applied it yet\n"
    assert len(stored.recorded()) == 1
    [listed] = stored.answered("list", STOCK, "--skips")["skips"]
    assert (listed["stream"], listed["version"], listed["why"]) == (stored.stream, 0, "so it is")
    unskip = ("unskip", STOCK, stored.stream, "--version", "0", "--why", "it was a mistake", "--wait", "0")
    assert stored.answered(*unskip)["changed"] is True
    assert [kind for kind, _ in stored.recorded()] == ["EventSkipped", "EventUnskipped"]
    assert stored.said(*unskip) == f"version 0 of {stored.stream} is not skipped, in {STOCK}\n"
    assert stored.said("list", "--skips", STOCK) == "No event is skipped.\n"


def test_only_what_blocks_is_skipped(stored: Stored) -> None:
    words = ("--why", "so it is", "--yes", "--wait", "0")
    other = stored.ran("skip", STOCK, stored.stream, "--version", "3", *words).exception
    assert isinstance(other, NotBlocked)
    assert (other.version, other.blocked_at) == (3, 0)
    good = stream_name("stock", str(uuid4()))
    for verb, more in (("show", ()), ("retry", ("--wait", "0")), ("skip", words)):
        refusal = stored.ran(verb, STOCK, good, *more).exception
        assert str(refusal) == f"{good} is not blocked in {STOCK}; `foldstream poison list {STOCK}` says what is"
    assert stored.recorded() == []
    stored.said("skip", STOCK, stored.stream, *words)
    [block] = [each for each in stored.answered("list")["blocked"] if each["stream"] == stored.stream]
    stored.connection.hdel(stored.keys.blocked, stored.stream.removeprefix("stock-"))
    assert stored.said("skip", STOCK, stored.stream, "--version", str(block["version"]), *words).startswith(
        f"version 0 of {stored.stream} was skipped already, since 20"
    )


def test_an_operator_takes_over_what_the_setting_skips(stored: Stored) -> None:
    good = stream_name("stock", str(uuid4()))
    skip = ("skip", STOCK, good, "--version", "4", "--why", "for good", "--yes", "--wait", "0")
    assert isinstance(stored.ran(*skip).exception, NotBlocked)
    namespace, at = stored.settings.namespace, datetime.now(UTC)
    own = Skip(
        namespace=namespace, projection=STOCK, stream=good, version=4, event_id=uuid4(), actor=SETTING, why="new", at=at
    )
    stored.operator.append(SKIPS_STREAM, NewRecord("EventSkipped", own.model_dump_json().encode()))
    assert stored.answered(*skip)["changed"] is True
    [listed] = stored.answered("list", "--skips")["skips"]
    assert (listed["by"], listed["why"], listed["event_id"]) == (ACTOR, "for good", str(own.event_id))
    assert stored.answered(*skip)["changed"] is False
    assert len(stored.recorded()) == 2


def test_a_retry_leaves_word_for_the_worker_of_each_stream(stored: Stored) -> None:
    assert stored.answered("retry", STOCK, stored.stream, "--wait", "0") == {
        "projection": STOCK,
        "streams": [{"stream": stored.stream, "outcome": "pending", "block": None}],
    }
    assert stored.connection.smembers(stored.keys.retries) == {stored.stream.removeprefix("stock-").encode()}
    lines = stored.said("retry", STOCK, "--yes", "--wait", "0").splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines[1:]] == ["no worker has applied it yet"] * 2
    assert stored.connection.scard(stored.keys.retries) == 2
    assert stored.said("retry", "order_summary", "--yes") == "No stream is blocked in order_summary.\n"


def test_where_nobody_is_to_fold_a_projection_it_is_told_who_said_so(stored: Stored) -> None:
    pause = Operation(
        namespace=stored.settings.namespace, projection=STOCK, actor=ACTOR, why="it is wrong", at=datetime.now(UTC)
    )
    stored.operator.append(OPERATIONS_STREAM, NewRecord(PAUSED, pause.model_dump_json().encode()))
    said = f"{STOCK} is paused {pause.described()}; `foldstream projections resume {STOCK}` ends that\n"
    skip = ("skip", STOCK, stored.stream, "--why", "so it is", "--yes")
    for words in (("retry", STOCK, stored.stream), skip):
        result = stored.ran(*words, "--wait", "0")
        assert (result.exception, result.stderr) == (None, said)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("show", "stock_level", STREAM), "there is no projection 'stock_level'; there are: "),
        (("show", STOCK, "order-1"), f"{STOCK} folds streams such as stock-<id>, unlike 'order-1'"),
        (("show", STOCK, "mug"), f"{STOCK} folds streams such as stock-<id>, unlike 'mug'"),
        (("show", STOCK, "stock-mug"), "an aggregate's id ends in a lower-case hexadecimal digit, unlike 'mug'"),
        (("skip", STOCK, STREAM, "--yes"), "Missing parameter: why"),
        (("skip", STOCK, STREAM, "--why", "so"), "there is nobody to ask; --yes does it without asking"),
        (("retry", STOCK), "there is nobody to ask; --yes does it without asking"),
        (("unskip", STOCK, STREAM, "--why", "so"), "Missing parameter: version"),
    ],
)
def test_what_can_not_be_meant_is_wrong_usage(stored: Stored, words: tuple[str, ...], reason: str) -> None:
    refusal = stored.ran(*words).exception
    assert getattr(refusal, "exit_code", None) == 2
    assert reason in str(refusal)


def test_what_redis_holds_otherwise_or_does_not_tell_is_said(stored: Stored) -> None:
    stored.connection.hset(stored.keys.blocked, "a", '{"format":99}')
    unreadable = stored.ran("list", STOCK).exception
    assert isinstance(unreadable, BlocksUnreadable)
    assert str(unreadable).endswith("its format 99 was stored by a later release; this one waits")
    rest = stored.answered("list")
    assert ([each["projection"] for each in rest["unreadable"]], rest["blocked"]) == ([STOCK], [])
    stored.connection.hdel(stored.keys.blocked, "a")
    stored.connection.set(stored.keys.retries, "no set")
    odd = stored.ran("retry", STOCK, stored.stream, "--wait", "0").exception
    assert isinstance(odd, RedisUnavailable)
    assert "WRONGTYPE" in str(odd)
