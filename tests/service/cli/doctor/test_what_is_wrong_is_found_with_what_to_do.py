"""`foldstream doctor` finds what is wrong, says each thing once, and ends with 3 where one of them must not stay."""

import asyncio
import json
import os
import re
import resource
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import redis as redis_client
import trustme
from joserfc.jwk import ECKey

from infrastructure.embedded.eventstoredb.access.users import set_password
from infrastructure.eventstore.record import NewRecord
from infrastructure.sagas.filters import group_name
from service.cli.doctor import machine, security
from service.cli.doctor import store as store_lines
from service.cli.doctor.findings import CHECKS, fail, ok, skipped, warn, worst_of
from service.consumers import PROJECTIONS, SAGAS, groups_of
from service.settings import Settings
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.eventstore.versioned_store import store_of_version
from tests.service.cli.doctor.examined import AWAY_REDIS, AWAY_STORE, examined, of_reached_servers, of_servers
from tests.service.cli.parked.till import Till
from tests.service.client import Client
from tests.support.callers import KEY
from tests.support.commands import ran
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.redis import RedisProcess
from tests.support.secure import PASSWORD, USER, Certificates, SecureEventStore
from tests.support.service import FoldstreamProcess

HOUR: Final = 3_600 * 10_000_000  # in the units in which the log has times
LAST_RECORD: Final = "SELECT position, created, frame FROM records ORDER BY position DESC LIMIT 1"


@pytest.fixture
def configured(redis_server: RedisProcess) -> Iterator[redis_client.Redis]:
    """Redis, whose settings are afterwards what they were."""
    with redis_client.Redis.from_url(redis_server.uri, decode_responses=True) as connection:
        before = connection.config_get("maxmemory-policy", "appendonly", "save")
        yield connection
        for name, value in before.items():
            connection.config_set(name, value)


def test_all_is_well_of_a_service_that_runs(healthy: FoldstreamProcess) -> None:
    data = str(healthy.data)
    key = {"FOLDSTREAM_DEVELOPMENT_KEY": str(KEY)}
    poll_until(lambda: examined("--data", data, **key).code == 0, seconds=30, what="a service that is well")
    found = examined("--data", data, **key)
    assert list(found.lines) == list(CHECKS)
    keys = found.lines.pop("keys")
    assert keys == [("warn", "whoever reads the file of the development key can sign any token")]
    assert {state for lines in found.lines.values() for state, _ in lines} == {"ok"}
    assert found.errors == []


def test_keys_that_are_not_there_fail_and_those_there_are_counted(healthy: FoldstreamProcess, tmp_path: Path) -> None:
    data, file = str(healthy.data), tmp_path / "keys.jwk"
    file.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=False)), encoding="utf-8")
    named = [examined("--data", data, FOLDSTREAM_ACCESS_KEYS=str(each)) for each in (file, tmp_path / "none.jwk")]
    assert named[0].lines["keys"] == [("ok", "1 are known")]
    assert (named[1].code, named[1].states("keys")) == (3, ["fail"])


def test_people_get_a_table_and_no_colours_elsewhere(healthy: FoldstreamProcess) -> None:
    code, output, _ = ran("doctor", "--data", str(healthy.data), FOLDSTREAM_DEVELOPMENT_KEY=str(KEY))
    assert (code, output[0].split(), output[-1]) == (
        0,
        ["check", "state", "found", "what", "to", "do"],
        "20 lines: 1 warn, 0 fail.",
    )
    assert [line for line in output if "\x1b" in line] == []


def test_too_little_room_on_the_disk_fails(healthy: FoldstreamProcess) -> None:
    found = examined("--data", str(healthy.data), FOLDSTREAM_DISK_FREE_MIB="1000000")
    assert (found.code, found.states("disk")) == (3, ["fail"])


def test_more_connections_than_files_may_be_open_is_warned_of(healthy: FoldstreamProcess) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    found = machine.descriptors(Settings(connections=min(limit, 100_000)))
    assert (found.state, found.check) == ("warn", "descriptors")


def test_servers_that_are_away_are_one_failure_each() -> None:
    found = of_servers(AWAY_STORE, AWAY_REDIS)
    failed = [check for check in found.lines if "fail" in found.states(check)]
    assert (found.code, failed, found.errors) == (3, ["eventstore", "redis"], [])
    asked = ("version", "users", "acls", "projections", "checkpoints", "poison", "sagas", "parked", "schema")
    assert {state for check in (*asked, "snapshots", "clocks") for state in found.states(check)} == {"skipped"}


def test_rows_that_may_be_evicted_fail(
    store: EventStoreProcess, redis_server: RedisProcess, configured: redis_client.Redis
) -> None:
    configured.config_set("maxmemory-policy", "allkeys-lru")
    found = of_servers(store.uri, redis_server.uri)
    reason = "maxmemory-policy is allkeys-lru: rows may be evicted one by one; set it to noeviction"
    assert (found.code, found.lines["redis"]) == (3, [("fail", reason)])


def test_a_redis_that_persists_nothing_fails(
    store: EventStoreProcess, redis_server: RedisProcess, configured: redis_client.Redis
) -> None:
    configured.config_set("appendonly", "no")
    configured.config_set("save", "")
    found = of_servers(store.uri, redis_server.uri)
    reason = "nothing is persisted: a restart loses every read model; set appendonly to yes"
    assert (found.code, found.lines["redis"]) == (3, [("fail", reason)])


def test_without_workers_read_models_and_sagas_fail(store: EventStoreProcess, redis_server: RedisProcess) -> None:
    found = of_servers(store.uri, redis_server.uri)
    assert found.code == 3
    assert found.lines["projections"] == [("warn", f"{each.name}: is being built") for each in PROJECTIONS]
    assert found.lines["sagas"] == [("fail", f"{saga.category}: has no worker") for saga in SAGAS]
    assert found.states("durable") == ["warn"]


def test_an_event_that_can_not_be_read_and_a_missing_snapshot_are_found(redis_server: RedisProcess) -> None:
    with EventStoreProcess(None) as process:
        stream, saga = f"stock-{uuid4()}", f"fulfilment-{uuid4()}"
        with operating(process.uri) as operator:
            operator.append(stream, *[NewRecord("StockMelted", b"{}", b"{}")] * 2_000)
            operator.append(saga, NewRecord("FulfilmentMelted", b"{}", b"{}"))
        found = of_servers(process.uri, redis_server.uri)
    assert found.code == 3
    assert found.lines["saga-versions"] == [("fail", f"1 differences, first of {saga}: unreadable")]
    assert found.lines["schema"] == [
        ("fail", f"2001 of 2,001 events can't be read, first event 0 of {stream}: the name is unknown")
    ]
    assert found.lines["snapshots"] == [("warn", "1 streams have no usable snapshot (1 missing)")]


def test_messages_that_are_parked_fail(store: EventStoreProcess, redis_server: RedisProcess) -> None:
    group = group_name(groups_of(SAGAS[0], "foldstream"), uuid4())
    with operating(store.uri) as operator:
        till = Till(store.uri, operator)
        till.paid(1)
        till.group(group, None)
        till.park(group, None, 1)
        found = of_servers(store.uri, redis_server.uri)
        till.clear()
    said = f"messages are parked: 1 of {group}; `foldstream parked show` tells why"
    assert found.lines["parked"] == [("fail", said)]


def test_the_passwords_of_a_new_store_fail_and_open_streams_are_warned_of(
    redis_server: RedisProcess, tmp_path: Path
) -> None:
    with SecureEventStore(tmp_path) as secure:
        closed = of_reached_servers(secure.uri(), redis_server.uri)
        assert (closed.states("users"), closed.states("acls")) == (["ok"], ["warn"])
        assert closed.states("certificates") == ["ok"]


def test_a_password_of_a_new_store_is_found(redis_server: RedisProcess, tmp_path: Path) -> None:
    set_password(tmp_path / "users", "admin", "changeit")
    with SecureEventStore(tmp_path) as secure:
        acl = {"$userStreamAcl": {"$r": [USER], "$w": [USER]}}
        with operating(secure.uri()) as operator:
            operator.append("$settings", NewRecord("settings", json.dumps(acl).encode()))
        found = of_reached_servers(secure.uri(), redis_server.uri)
    assert found.lines["users"] == [("fail", "the password of a new event store is taken for admin")]
    assert found.states("acls") == ["ok"]
    assert PASSWORD not in str(found)


def test_certificates_that_end_soon_are_warned_of_and_those_that_have_ended_fail(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    (tmp_path / "api").mkdir()
    ended = Certificates(tmp_path / "api", until=now - timedelta(days=3, hours=1)).write()
    nothing = tmp_path / "nothing.crt"
    nothing.write_text("nothing", encoding="utf-8")
    with SecureEventStore(tmp_path, until=now + timedelta(days=10, hours=1)) as secure:
        settings = Settings(eventstore_uri=secure.uri(), tls_certificate_file=str(ended.certificate))
        found = asyncio.run(security.certificates(settings.model_copy(update={"redis_uri": AWAY_REDIS})))
    assert [(each.state, each.detail) for each in found] == [
        ("warn", f"127.0.0.1:{secure.port}: it ends in 10 days"),
        ("fail", f"{ended.certificate}: it ended 3 days ago"),
    ]
    for file, reason in ((nothing, "holds no certificate in PEM"), (tmp_path / "x", "No such file or directory")):
        settings = Settings(eventstore_uri=AWAY_STORE, redis_uri=AWAY_REDIS, tls_certificate_file=str(file))
        [line] = asyncio.run(security.certificates(settings))
        assert (line.state, line.detail) == ("fail", f"{file}: {reason}")


@pytest.mark.parametrize(
    ("version", "state"),
    [("24.10.4", "ok"), ("23.10.6", "ok"), ("22.10.5", "warn"), (None, "warn")],
)
def test_a_store_of_a_version_that_is_not_tested_is_warned_of(version: str | None, state: str) -> None:
    with store_of_version(version) as uri:
        found = asyncio.run(store_lines.version(uri))
    told = "the event store does not tell its version" if version is None else version
    assert (found.state, found.detail.removesuffix(" is not among those that are tested")) == (state, told)


def test_read_models_beyond_their_bounds_are_told_of_with_their_lag(healthy: FoldstreamProcess) -> None:
    worker = healthy.pid_of("projections")
    os.kill(worker, signal.SIGSTOP)
    try:
        with Client(healthy.url) as client:
            for _ in range(4):
                client.receive("lamp-behind", 1)
        bounds = {"FOLDSTREAM_LAG_EVENTS": "3", "FOLDSTREAM_LAG_SECONDS": "3600"}
        told: list[tuple[str, str]] = []

        def is_told() -> bool:
            told[:] = [line for line in examined("--data", str(healthy.data), **bounds).lines["projections"] if line[1]]
            return any("stock_levels: " in detail for _, detail in told)

        poll_until(is_told, seconds=30, what="a read model that is behind")
    finally:
        os.kill(worker, signal.SIGCONT)
    found = [(state, detail.partition(", the oldest ")[0]) for state, detail in told if "stock_levels: " in detail]
    assert found == [("warn", "stock_levels: is behind: 5 events are not folded yet")]


def test_how_long_a_certificate_holds_is_told_in_days() -> None:
    end = datetime(2031, 5, 1, tzinfo=UTC)
    issued = trustme.CA().issue_cert("localhost", not_after=end)
    pem = issued.cert_chain_pems[0].bytes().decode()
    assert [security.days_left(pem, end - timedelta(days=days)) for days in (29, 0, -3)] == [29.0, 0.0, -3.0]


@pytest.mark.parametrize(("apart", "state"), [(0.9, "ok"), (1.1, "warn"), (10.1, "fail")])
def test_clocks_that_are_apart_are_told_of(apart: float, state: str) -> None:
    assert machine.judged("Redis", apart).state == state


def test_a_record_from_an_hour_ahead_shows_that_a_clock_is_wrong(tmp_path: Path) -> None:
    """As a store writes it whose clock is ahead. That of Redis can not be set here: its judgement alone is tested."""
    with EventStoreProcess(tmp_path) as process:
        with operating(process.uri) as operator:
            operator.append("order-0", NewRecord("Noted", b"{}"))
        process.stop()
        with closing(sqlite3.connect(tmp_path / "events.db")) as log, log:
            place, created, frame = log.execute(LAST_RECORD).fetchone()
            later = created + HOUR
            frame = frame.replace(str(created).encode(), str(later).encode())
            log.execute("UPDATE records SET created = ?, frame = ? WHERE position = ?", (later, frame, place))
        process.start()
        found = asyncio.run(machine.store_clock(process.uri))
    said = re.fullmatch(r"the newest record of the event store is (\d+)\.\d s from this machine's clock", found.detail)
    assert said is not None
    assert (found.state, 3_500 < int(said[1]) <= 3_600) == ("fail", True)


def test_the_worst_line_is_the_answer() -> None:
    lines = [ok("disk"), skipped("poison", "away"), warn("acls", "open", "close"), fail("redis", "away", "start it")]
    assert [worst_of(lines[:number]) for number in (1, 2, 3, 4)] == ["ok", "ok", "warn", "fail"]


def test_a_blocked_stream_and_a_store_that_took_another_s_place_are_found(
    healthy: FoldstreamProcess, store: EventStoreProcess
) -> None:
    """The last in this module: the service is not well any more."""
    stream = f"stock-{uuid4()}"
    with operating(healthy.uri_of("eventstore")) as operator:
        operator.append(stream, NewRecord("StockMelted", b"{}", b"{}"))
    data = str(healthy.data)
    poll_until(lambda: examined("--data", data).states("poison") == ["fail"], seconds=30, what="a blocked stream")
    [(_, blocked)] = examined("--data", data).lines["poison"]
    assert stream in blocked
    replaced = of_servers(store.uri, healthy.uri_of("redis"))
    assert (replaced.code, replaced.states("checkpoints")) == (3, ["fail"])
