"""What looks back or operates leaves one entry before it gets at a server; where that can't be, nothing is done."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from domain.stock.stock import SkuRegistered, stock_id
from domain.stream_name import stream_name
from infrastructure.access.access_entry import AccessRecorded
from infrastructure.access.access_reader import Wanted
from service.access.action import OPEN
from service.access.recorded import RECORDED
from service.cli.operator_act import Act
from service.history.sources import CODEC
from tests.infrastructure.access.entries import stored
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import metadata
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import verbs
from tests.support.commands import Command, ran
from tests.support.eventstore import EventStoreProcess, limit_files

WHY: Final = ("--why", "so it is")
ID: Final = str(uuid4())
MUG: Final = f"stock-{stock_id('mug')}"
REPAIR: Final = "tests/service/data/repair.jsonl"
# Words, and the action and the resource that are kept of them.
KEPT: Final = {
    ("history", "stock:mug", "--limit", "3"): ("read-history", MUG),
    ("as-of", "stock:mug", "--version", "0"): ("read-history", MUG),
    ("changes", "stock:mug"): ("read-history", MUG),
    ("trace", "stock:mug"): ("read-trace", f"trace {MUG}"),
    ("trace", ID): ("read-trace", f"trace {ID}"),
    ("export", "stock:mug"): ("export-history", MUG),
    ("access-log", "--subject", "nobody"): ("read-access-log", "*"),
    ("access-log", "--tenant", "acme"): ("read-access-log", "acme.*"),
    ("streams", "--category", "stock"): ("list-streams", "*"),
    ("read", "stock:mug"): ("read-stream", MUG),
    ("append", "stock:mug", "--file", REPAIR, "--expected", "7", "--yes", *WHY): ("append-events", MUG),
    ("sagas", "show", "fulfilment", ID): ("read-saga", f"fulfilment-{ID}"),
    ("sagas", "retry", "fulfilment", ID, *WHY): ("retry-saga", f"fulfilment-{ID}"),
    ("sagas", "pause", "fulfilment", "--all", "--yes", *WHY): ("pause-saga", "fulfilment-*"),
    ("projections", "pause", "order_summary", *WHY): ("pause-projections", "order_summary"),
    ("poison", "skip", "stock_levels", "stock:mug", "--yes", *WHY): ("mend-poison", f"stock_levels {MUG}"),
    ("parked", "list"): ("read-parked", "*"),
    ("snapshots", "drop", "stock:mug", "order-0", "--yes"): ("change-snapshots", f"{MUG} order-0"),
    ("rebuild", "order_summary", "--dry-run"): ("rebuild-read-models", "order_summary"),
    ("views", "drop", "march", "--yes"): ("drop-views", "march"),
}
UNKEPT: Final = (("subscriptions", "list"), ("schema", "check"), ("snapshots", "list"), ("sagas", "graph", "booking"))
NO_REDIS: Final = {"FOLDSTREAM_REDIS_URI": "redis://127.0.0.1:1/0"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStoreProcess]:
    """With a mug in it."""
    mug = SkuRegistered(sku="mug")
    with EventStoreProcess(tmp_path / "store") as process:
        with operating(process.uri) as operator:
            record = CODEC.encode(mug, metadata(mug, correlation=uuid4()))
            operator.append(stream_name("stock", stock_id("mug")), record)
        yield process


def entries(uri: str) -> list[AccessRecorded]:
    now = datetime.now(UTC)
    found = stored(uri, "default", Wanted(now - timedelta(days=1), now + timedelta(days=1)))
    return [each for each in found if isinstance(each, AccessRecorded)]


def test_it_leaves_one_entry(store: EventStoreProcess) -> None:
    began = datetime.now(UTC)
    surroundings = {"FOLDSTREAM_EVENTSTORE_URI": store.uri, **NO_REDIS}
    running = [Command(words, surroundings) for words in (*KEPT, *UNKEPT)]
    assert "Traceback" not in "".join(each.said(60)[2] for each in running)
    found = entries(store.uri)
    assert sorted((each.action, each.resource) for each in found) == sorted(KEPT.values())
    for each in found:
        assert began <= each.at <= datetime.now(UTC)
        assert (each.subject, each.source, each.outcome, each.rule) == (Act(None).actor, "cli", "allowed", None)
    assert len({each.correlation_id for each in found}) == len(KEPT)


def test_whatever_looks_back_or_operates_is_kept() -> None:
    """Each verb says what it does; that says whether it is kept."""
    declared = {words: getattr(command.callback, "action", OPEN) for words, command in verbs().items()}
    kept = {words for words, action in declared.items() if action in RECORDED}
    assert {words for words in declared if words.partition(" ")[0] in {"parked", "poison"}} <= kept
    assert {"audit", "rebuild", "history", "as-of", "changes", "trace", "export", "access-log"} <= kept
    assert {"streams", "read", "append"} <= kept
    assert {"views drop", "snapshots drop", "snapshots retake", "projections pause", "projections resume"} <= kept
    of_sagas = ("show", "cancel", "compensate", "migrate", "pause", "resume", "retry", "skip")
    assert {f"sagas {word}" for word in of_sagas} <= kept


def test_wrong_usage_is_no_attempt(store: EventStoreProcess) -> None:
    surroundings = {"FOLDSTREAM_EVENTSTORE_URI": store.uri, **NO_REDIS}
    wrong = (("as-of", "stock:mug"), ("snapshots", "drop", "--yes"), ("rebuild", "no_such_projection"))
    assert [each.wait().code for each in [Command(words, surroundings) for words in wrong]] == [2, 2, 2]
    assert entries(store.uri) == []


def test_what_can_not_be_put_on_record_is_not_done_and_not_shown(store: EventStoreProcess) -> None:
    """The store's disk is full: the history could be read."""
    assert ran("history", "stock:mug", FOLDSTREAM_EVENTSTORE_URI=store.uri).code == 0
    limit_files(store.process.pid)
    for words in (("history", "stock:mug"), ("export", "stock:mug"), ("trace", "stock:mug")):
        code, output, errors = ran(*words, FOLDSTREAM_EVENTSTORE_URI=store.uri)
        assert (code, output, len(errors)) == (1, [], 1)
        assert errors[0].startswith(f"foldstream {words[0]}: The event store at 127.0.0.1:{store.port} can't be used: ")


def test_a_verb_that_acts_on_redis_alone_needs_the_store_for_its_entry() -> None:
    code, output, errors = ran("views", "drop", "march", "--yes", "--data", "/nowhere", **NO_REDIS)
    assert (code, output, len(errors)) == (1, [], 1)
    assert "the event store" in errors[0]
