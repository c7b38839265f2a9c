"""A Redis that holds the read models of one event store, met with another: one line at the start says so."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.uri import address_in
from infrastructure.times import time_text
from service.consumers import PROJECTIONS
from tests.service.client import Client, stock_level
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.redis import RedisProcess
from tests.support.service import FoldstreamProcess

REASON = (
    "the read models in Redis were folded from another event store: its log was removed or replaced, or one of the two "
    "addresses names another server than before"
)


@pytest.fixture
def own() -> Iterator[RedisProcess]:
    process = RedisProcess().start()
    yield process
    process.close()


def told(process: Listened) -> list[dict[str, Any]]:
    """What the process has said of a store that took another's place."""
    return [json.loads(line) for line in process.errors if '"event_store_replaced"' in line]


def identity(store: str) -> str:
    with open_reader(store) as reader:
        return store_identity(reader)


def assert_told(process: Listened, store: str, redis_address: str, before: str, now: str) -> None:
    """Demands one line that names both servers and both histories, and says what follows."""
    [line] = poll_until(lambda: told(process), seconds=5, what="a word about the store")
    consequence = line["consequence"]
    begun = consequence.partition("begun at ")[2].partition(";")[0]
    assert begun == time_text(datetime.fromisoformat(begun).replace(microsecond=0))
    assert line["level"] == "warning"
    assert line["reason"] == REASON
    assert consequence == (
        f"they are built anew from this one's log alone, which was begun at {begun}; to keep what the "
        "other holds, stop, put its log or the address back, and start again"
    )
    named = {name: line[name] for name in ("eventstore", "redis", "store_before", "store")}
    assert named == {"eventstore": store, "redis": redis_address, "store_before": before, "store": now}


@contextmanager
def folding(store: str, own: RedisProcess) -> Iterator[Listened]:
    """Projections that have built all read models from this store."""
    environment = {"FOLDSTREAM_EVENTSTORE_URI": store, "FOLDSTREAM_REDIS_URI": own.uri}
    worker = Listened((*FOLDSTREAM, "projections"), environment)
    try:
        poll_until(lambda: built_from(own.uri) == {identity(store)}, seconds=30, what="read models of this store")
        yield worker
    finally:
        worker.kill()


def built_from(uri: str) -> set[str]:
    """The identities of the stores that the read models are of; one that is not there yet is of none."""
    with redis.Redis.from_url(uri, decode_responses=True) as connection:
        found = [connection.get(f"{{foldstream:{projection.name}}}:live") for projection in PROJECTIONS]
    return {json.loads(str(text))["store"] if text else "" for text in found}


@pytest.mark.soak
def test_a_folder_s_log_that_was_removed_is_told_of_once(tmp_path: Path) -> None:
    with FoldstreamProcess(tmp_path) as service:
        with Client(service.url) as client:
            client.receive("lamp", 3)
            client.assert_becomes("/stock/lamp", stock_level("lamp", 3, version=1))
        before = identity(service.uri_of("eventstore"))
        service.stop()
        service.start()
        assert told(service.process) == []
        service.stop()
        shutil.rmtree(tmp_path / "eventstore")
        service.start()
        store, address = service.uri_of("eventstore"), service.uri_of("redis")
        assert_told(service.process, address_in(store), address, before, identity(store))
        service.stop()
        service.start()
        assert told(service.process) == []


def test_a_redis_of_another_store_is_told_of_with_servers_of_one_s_own(own: RedisProcess) -> None:
    with EventStoreProcess(None) as first, EventStoreProcess(None) as second:
        with folding(first.uri, own) as worker:
            assert told(worker) == []
        with folding(second.uri, own) as worker:
            identities = identity(first.uri), identity(second.uri)
            assert_told(worker, address_in(second.uri), own.uri, *identities)
