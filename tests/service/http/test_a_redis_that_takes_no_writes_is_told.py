"""A Redis that answers and takes no writes, for each of its reasons: what readiness says, and what is answered."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from service.consumers import PROJECTIONS
from tests.service.http.api_server import away, serving
from tests.service.http.shop import new_order, order_form
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.redis import RedisProcess
from tests.support.small_disk import small_disk

WELL = {"ok": True, "state": "ok", "detail": None}
NAMES = [projection.name for projection in PROJECTIONS]


@dataclass(frozen=True, slots=True)
class Refusing:
    """How a Redis is brought to refuse writes and to take them again, and what is to be said of it."""

    refuse: Callable[[redis.Redis], object]
    relent: Callable[[redis.Redis], object]
    state: str
    reason: str


def fail_to_save(connection: redis.Redis) -> None:
    """A folder stands where the snapshot should be."""
    (Path(str(connection.config_get("dir")["dir"])) / "dump.rdb").mkdir()
    connection.config_set("save", "3600 1")
    connection.bgsave()
    failed = lambda: connection.info("persistence")["rdb_last_bgsave_status"] == "err"  # noqa: E731 - said once
    poll_until(failed, seconds=10, what="a snapshot that failed")


REFUSING = {
    "a failed snapshot": Refusing(
        fail_to_save,
        lambda connection: connection.config_set("stop-writes-on-bgsave-error", "no"),
        "failing",
        "MISCONF Valkey is configured to save RDB snapshots, but it's currently unable to persist to disk. "
        "Commands that may modify the data set are disabled, because this instance is configured to report errors "
        "during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Valkey logs "
        "for details about the RDB error.",
    ),
    "a full memory": Refusing(
        lambda connection: connection.config_set("maxmemory", "1kb"),
        lambda connection: connection.config_set("maxmemory", "0"),
        "failing",
        "command not allowed when used memory > 'maxmemory'.",
    ),
    "a replica": Refusing(
        lambda connection: connection.replicaof("127.0.0.1", "1"),
        lambda connection: connection.replicaof("NO", "ONE"),
        "misconfigured",
        "You can't write against a read only replica.",
    ),
    "a user that may not": Refusing(
        lambda connection: connection.acl_setuser("default", enabled=True, categories=["-@write"]),
        lambda connection: connection.acl_setuser("default", enabled=True, categories=["+@all"]),
        "misconfigured",
        "User default has no permissions to run the 'set' command",
    ),
}


@pytest.fixture
def own() -> Iterator[RedisProcess]:
    process = RedisProcess().start()
    yield process
    process.close()


@contextmanager
def folding(store: str, own: RedisProcess) -> Iterator[tuple[httpx.Client, redis.Redis]]:
    """An API, and projections that keep its read models up to date."""
    environment = {
        "FOLDSTREAM_EVENTSTORE_URI": store,
        "FOLDSTREAM_REDIS_URI": own.uri,
        "FOLDSTREAM_AUDIT_STREAMS": "0",  # what it tells of read models that are well depends on when it is asked
    }
    with ExitStack() as stack:
        worker = Listened((*FOLDSTREAM, "projections"), environment)
        stack.callback(worker.kill)
        http = stack.enter_context(serving(away(eventstore_uri=store, redis_uri=own.uri)))
        yield http, stack.enter_context(redis.Redis.from_url(own.uri, decode_responses=True))


def checks(http: httpx.Client) -> dict[str, Any]:
    """What readiness says of Redis and of the read models."""
    found = http.get("/health/ready").json()["checks"]
    return {name: found[name] for name in ("redis", *NAMES)}


def reported(connection: redis.Redis) -> bool:
    """Whether any worker's last report is still there."""
    return bool(list(connection.scan_iter(match="*}:status", count=1000)))


def assert_told(http: httpx.Client, own: RedisProcess, state: str, reason: str) -> None:
    """Demands that exactly this is said."""
    unwritten = f"can't be folded further: Redis takes no writes: {reason}"
    detail = f"{own.uri}: it can be read, and takes no writes: {reason}"
    expected = {
        "redis": {"ok": False, "state": state, "detail": detail},
        **{name: {"ok": False, "state": "failing", "detail": unwritten} for name in NAMES},
    }
    poll_until(lambda: checks(http) == expected, seconds=5, what="the reason")


def recovers(http: httpx.Client) -> bool:
    """Whether all is well; in between, nobody may be said to be missing who is there."""
    found = checks(http)
    assert "has no worker" not in {check["detail"] for check in found.values()}
    return set(map(str, found.values())) == {str(WELL)}


LONG = ("a failed snapshot", "a replica")


@pytest.mark.parametrize(
    "named", [pytest.param(named, marks=[pytest.mark.soak] if named in LONG else []) for named in REFUSING]
)
def test_its_own_reason_is_told_and_queries_go_on(named: str, eventstore_uri: str, own: RedisProcess) -> None:
    refusing = REFUSING[named]
    with folding(eventstore_uri, own) as (http, connection):
        poll_until(lambda: checks(http)["order_summary"] == WELL, seconds=30, what="a read model")
        path = f"/orders/{new_order(http)}"
        poll_until(lambda: http.get(path).status_code == 200, seconds=10, what="an order that is shown")
        refusing.refuse(connection)
        assert_told(http, own, refusing.state, refusing.reason)
        poll_until(lambda: not reported(connection), seconds=15, what="the end of all reports")
        assert_told(http, own, refusing.state, refusing.reason)
        assert http.get(path).status_code == 200
        assert http.post("/orders", json=order_form()).status_code == 201
        assert http.get("/health/ready").json()["status"] == "degraded"
        refusing.relent(connection)
        poll_until(lambda: recovers(http), seconds=20, what="a Redis that takes writes")


def test_a_full_disk_is_the_server_s_own_reason(tmp_path: Path, eventstore_uri: str) -> None:
    with small_disk(tmp_path / "redis", "4m") as folder, ExitStack() as stack:
        own = RedisProcess(folder).start()
        stack.callback(own.close)
        http, connection = stack.enter_context(folding(eventstore_uri, own))
        poll_until(lambda: checks(http)["redis"] == WELL, seconds=10, what="a Redis with room")
        with (folder / "filler").open("wb") as filler, pytest.raises(OSError, match="No space left"):
            filler.write(bytes(8 * 1024 * 1024))
        with pytest.raises(redis.ResponseError):
            poll_until(lambda: connection.set("big", "x" * 100_000) is None, seconds=20, what="a refused write")
        reason = "MISCONF Errors writing to the AOF file: No space left on device"
        assert_told(http, own, "failing", reason)
        (folder / "filler").unlink()
        poll_until(lambda: recovers(http), seconds=20, what="a Redis that takes writes")
