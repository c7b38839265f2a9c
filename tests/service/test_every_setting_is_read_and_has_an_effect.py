"""The settings of a deployment: read, refused, and with an effect."""

import json
from collections import Counter
from pathlib import Path
from uuid import uuid4

import httpx
import redis

from infrastructure.readmodels.keys import PartitionKeys
from service.addresses import lasting_port
from service.settings import PerProjection, Settings
from tests.support.callers import AUTHORIZED
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

DEFAULTS = Settings(
    eventstore_uri=None,
    redis_uri=None,
    namespace="foldstream",
    partitions=1,
    projection_workers=None,
    skip_unreadable=(),
    priorities=(),
    lag_events=PerProjection(1_000),
    lag_seconds=PerProjection(10),
    audit_streams=1,
    command_seconds=4,
    commands_at_once=64,
    commands_waiting=1024,
    queries_at_once=1024,
    queries_waiting=512,
    requests_per_second=500,
    requests_burst=10_000,
    cached_aggregates=10_000,
    read_seconds=5,
    histories_at_once=4,
    history_seconds=10,
    disk_free_mib=256,
    flight_confirmation_seconds=900,
    saga_stuck_seconds=900,
    metrics_host="127.0.0.1",
    metrics_port=None,
    tls_certificate_file=None,
    tls_key_file=None,
    head_bytes=32_768,
    url_bytes=8_192,
    header_bytes=16_384,
    headers=100,
    head_seconds=10,
    body_seconds=30,
    send_seconds=30,
    keep_alive_seconds=75,
    connections=4_096,
    pending_per_address=256,
)


def test_without_variables_there_are_defaults() -> None:
    assert Settings.from_mapping({}) == DEFAULTS


def test_every_setting_is_read_from_its_variable() -> None:
    variables = {
        "FOLDSTREAM_EVENTSTORE_URI": "esdb://store:2113?tls=false",
        "FOLDSTREAM_REDIS_URI": "redis://redis:6379/1",
        "FOLDSTREAM_NAMESPACE": "shop.test_1-a",
        "FOLDSTREAM_COMMAND_SECONDS": "9",
        "FOLDSTREAM_COMMANDS_AT_ONCE": "8",
        "FOLDSTREAM_COMMANDS_WAITING": "0",
        "FOLDSTREAM_QUERIES_AT_ONCE": "7",
        "FOLDSTREAM_QUERIES_WAITING": "6",
        "FOLDSTREAM_CACHED_AGGREGATES": "3",
        "FOLDSTREAM_HISTORIES_AT_ONCE": "2",
        "FOLDSTREAM_READ_SECONDS": "8",
        "FOLDSTREAM_HISTORY_SECONDS": "30",
        "FOLDSTREAM_DISK_FREE_MIB": "64",
        "FOLDSTREAM_FLIGHT_CONFIRMATION_SECONDS": "86400",
        "FOLDSTREAM_SAGA_STUCK_SECONDS": "3600",
        "FOLDSTREAM_METRICS_HOST": "0.0.0.0",
        "FOLDSTREAM_METRICS_PORT": "9464",
        "PATH": "/bin",
    }
    assert Settings.from_mapping(variables) == Settings(
        eventstore_uri="esdb://store:2113?tls=false",
        redis_uri="redis://redis:6379/1",
        namespace="shop.test_1-a",
        command_seconds=9,
        commands_at_once=8,
        commands_waiting=0,
        queries_at_once=7,
        queries_waiting=6,
        cached_aggregates=3,
        read_seconds=8,
        histories_at_once=2,
        history_seconds=30,
        disk_free_mib=64,
        flight_confirmation_seconds=86_400,
        saga_stuck_seconds=3600,
        metrics_host="0.0.0.0",
        metrics_port=9464,
    )


def test_every_setting_of_read_models_is_read_from_its_variable() -> None:
    variables = {
        "FOLDSTREAM_PARTITIONS": "16",
        "FOLDSTREAM_PROJECTION_WORKERS": "5",
        "FOLDSTREAM_SKIP_UNREADABLE": "order_summary, stock_levels",
        "FOLDSTREAM_PRIORITIES": "stock_levels,order_summary",
        "FOLDSTREAM_AUDIT_STREAMS": "50",
    }
    assert Settings.from_mapping(variables) == Settings(
        partitions=16,
        projection_workers=5,
        skip_unreadable=("order_summary", "stock_levels"),
        priorities=("stock_levels", "order_summary"),
        audit_streams=50,
    )


def test_a_bound_of_lag_is_for_all_or_for_those_that_are_named() -> None:
    variables = {
        "FOLDSTREAM_LAG_EVENTS": "500, stock_levels = 50",
        "FOLDSTREAM_LAG_SECONDS": "order_summary=60,account_balance=5",
    }
    settings = Settings.from_mapping(variables)
    assert settings == Settings(
        lag_events=PerProjection(500, {"stock_levels": 50}),
        lag_seconds=PerProjection(10, {"order_summary": 60, "account_balance": 5}),
    )
    assert (settings.lag_events.of("stock_levels"), settings.lag_events.of("order_summary")) == (50, 500)


def test_every_bound_of_requests_and_connections_is_read_from_its_variable() -> None:
    variables = {
        "FOLDSTREAM_REQUESTS_PER_SECOND": "5",
        "FOLDSTREAM_REQUESTS_BURST": "50",
        "FOLDSTREAM_HEAD_BYTES": "65536",
        "FOLDSTREAM_URL_BYTES": "2048",
        "FOLDSTREAM_HEADER_BYTES": "4096",
        "FOLDSTREAM_HEADERS": "50",
        "FOLDSTREAM_HEAD_SECONDS": "3",
        "FOLDSTREAM_BODY_SECONDS": "4",
        "FOLDSTREAM_SEND_SECONDS": "6",
        "FOLDSTREAM_KEEP_ALIVE_SECONDS": "5",
        "FOLDSTREAM_CONNECTIONS": "60",
        "FOLDSTREAM_PENDING_PER_ADDRESS": "20",
    }
    assert Settings.from_mapping(variables) == Settings(
        requests_per_second=5,
        requests_burst=50,
        head_bytes=65_536,
        url_bytes=2_048,
        header_bytes=4_096,
        headers=50,
        head_seconds=3,
        body_seconds=4,
        send_seconds=6,
        keep_alive_seconds=5,
        connections=60,
        pending_per_address=20,
    )


def test_where_traces_go_is_read_from_its_variables() -> None:
    variables = {
        "FOLDSTREAM_OTLP_ENDPOINT": "https://collector:4318/v1/traces",
        "FOLDSTREAM_TRACES_FILE": "traces.jsonl",
        "FOLDSTREAM_TRACES_RATIO": "0.05",
    }
    assert Settings.from_mapping(variables) == Settings(
        otlp_endpoint="https://collector:4318/v1/traces", traces_file="traces.jsonl", traces_ratio=0.05
    )


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert Settings.from_mapping({"FOLDSTREAM_NAMESPACE": "", "FOLDSTREAM_REDIS_URI": ""}) == Settings.from_mapping({})


def test_credentials_do_not_stand_in_what_is_printed() -> None:
    settings = Settings(eventstore_uri="esdb://admin:secret@store:2113", redis_uri="redis://:secret@redis")
    assert "secret" not in f"{settings!r}{settings}"


def shares(connection: "redis.Redis", namespace: str) -> list[int]:
    """How many of the twelve groups, four partitions of each of three categories, are leased to each worker."""
    of_categories = ("order_summary", "stock_levels", "account_balance")
    leases = [PartitionKeys(namespace, name, 1, number).lease for name in of_categories for number in range(4)]
    return sorted(Counter(worker for worker in connection.mget(leases) if worker is not None).values())


def test_what_file_variables_and_options_say_reaches_each_process_and_the_port_for_metrics_the_api_alone(
    tmp_path: Path, eventstore_uri: str, redis_uri: str
) -> None:
    namespace = f"settings-{uuid4().hex[:12]}"
    port = lasting_port()
    file = tmp_path / "foldstream.toml"
    given = {"partitions": 4, "projection_workers": 2, "audit_streams": 7, "metrics_port": port}
    file.write_text("".join(f"{name} = {number}\n" for name, number in given.items()), encoding="utf-8")
    environment = {
        "FOLDSTREAM_CONFIG": str(file),
        "FOLDSTREAM_EVENTSTORE_URI": eventstore_uri,
        "FOLDSTREAM_REDIS_URI": "redis://127.0.0.1:1",
        "FOLDSTREAM_NAMESPACE": namespace,
        "FOLDSTREAM_PROJECTION_WORKERS": "",
    }
    with FoldstreamProcess(tmp_path, environment, "--redis", redis_uri) as service:
        told = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        assert 'foldstream_check_state{check="eventstore",state="ok"} 1.0' in told
        assert httpx.get(f"{service.url}/health/ready", trust_env=False, headers=AUTHORIZED).json()["status"] == "ok"
        workers = [name for name in service.processes if name.startswith("projections")]
        with redis.Redis.from_url(redis_uri, decode_responses=True) as connection:
            keys = connection.keys(f"{{{namespace}:order_summary:*:p*}}:checkpoint")
            poll_until(lambda: shares(connection, namespace) == [6, 6], seconds=20, what="six for each worker")
    assert workers == ["projections-1", "projections-2"]
    audits = [json.loads(line) for line in service.process.errors if '"background_audit_started"' in line]
    assert [each["streams_a_second"] for each in audits] == [7, 7]
    stopped = [json.loads(line)["name"] for line in service.process.errors if '"process_stopped"' in line]
    assert (stopped[:2], sorted(stopped[2:])) == (["api", "sagas"], workers)
    assert [line for line in service.process.errors if '"process_killed"' in line or '"process_ended"' in line] == []
    partitions = {str(key).partition("}")[0].rpartition(":")[2] for key in keys}
    assert partitions == {"p0", "p1", "p2", "p3"}
