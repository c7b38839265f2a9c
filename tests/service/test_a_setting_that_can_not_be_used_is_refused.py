"""What a setting can't be is refused by name and reason, and never repeated."""

import traceback

import pytest

from service.settings import Settings, SettingsError

BY_NAME = ", or such as name=number, with commas"
BAD_COLLECTOR = "should be an address such as http://127.0.0.1:4318, without a login"
BAD_STORE = "must be a URI such as esdb://host:2113?tls=false or esdb+discover://name:2113"
BAD_REDIS = "must be a URI such as redis://host:6379/0, rediss://…, redis+cluster://host:6379,… or unix:///path"


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("FOLDSTREAM_EVENTSTORE_URI", "http://store:2113", BAD_STORE),
        ("FOLDSTREAM_EVENTSTORE_URI", "store", BAD_STORE),
        ("FOLDSTREAM_REDIS_URI", "http://:secret@redis", BAD_REDIS),
        ("FOLDSTREAM_NAMESPACE", "a b", "should be 1 to 64 letters of a to z, digits, '.', '_' or '-'"),
        ("FOLDSTREAM_NAMESPACE", "{shop}", "should be 1 to 64 letters of a to z, digits, '.', '_' or '-'"),
        ("FOLDSTREAM_PARTITIONS", "3", "should be 1, 2, 4, 8 or 16"),
        ("FOLDSTREAM_PARTITIONS", "four", "should be 1, 2, 4, 8 or 16"),
        ("FOLDSTREAM_PROJECTION_WORKERS", "0", "should be a whole number from 1 to 16"),
        ("FOLDSTREAM_PROJECTION_WORKERS", "17", "should be a whole number from 1 to 16"),
        ("FOLDSTREAM_LAG_EVENTS", "0", f"should be a whole number from 1 to 100000000{BY_NAME}"),
        ("FOLDSTREAM_LAG_EVENTS", "stock_levels=", f"should be a whole number from 1 to 100000000{BY_NAME}"),
        ("FOLDSTREAM_LAG_EVENTS", "=5", f"should be a whole number from 1 to 100000000{BY_NAME}"),
        ("FOLDSTREAM_LAG_EVENTS", "500, 600", "has two numbers for all"),
        ("FOLDSTREAM_LAG_SECONDS", "stock_levels=5,stock_levels=6", "has two numbers for stock_levels"),
        ("FOLDSTREAM_LAG_SECONDS", "10,soon", f"should be a whole number from 1 to 86400{BY_NAME}"),
        ("FOLDSTREAM_AUDIT_STREAMS", "51", "should be a whole number from 0 to 50"),
        ("FOLDSTREAM_COMMAND_SECONDS", "0", "should be a whole number from 1 to 60"),
        ("FOLDSTREAM_COMMAND_SECONDS", "1.5", "should be a whole number from 1 to 60"),
        ("FOLDSTREAM_COMMAND_SECONDS", "NaN", "should be a whole number from 1 to 60"),
        ("FOLDSTREAM_COMMANDS_AT_ONCE", "91", "should be a whole number from 1 to 90"),
        ("FOLDSTREAM_COMMANDS_WAITING", "-1", "should be a whole number from 0 to 100000"),
        ("FOLDSTREAM_QUERIES_AT_ONCE", "0", "should be a whole number from 1 to 100000"),
        ("FOLDSTREAM_QUERIES_WAITING", "0", "should be a whole number from 1 to 100000"),
        ("FOLDSTREAM_REQUESTS_PER_SECOND", "-1", "should be a whole number from 0 to 100000"),
        ("FOLDSTREAM_REQUESTS_BURST", "0", "should be a whole number from 1 to 1000000"),
        ("FOLDSTREAM_READ_SECONDS", "0", "should be a whole number from 1 to 60"),
        ("FOLDSTREAM_CACHED_AGGREGATES", "1000001", "should be a whole number from 0 to 1000000"),
        ("FOLDSTREAM_HISTORIES_AT_ONCE", "65", "should be a whole number from 1 to 64"),
        ("FOLDSTREAM_HISTORY_SECONDS", "0", "should be a whole number from 1 to 60"),
        ("FOLDSTREAM_DISK_FREE_MIB", "0", "should be a whole number from 1 to 1000000"),
        ("FOLDSTREAM_FLIGHT_CONFIRMATION_SECONDS", "0", "should be a whole number from 1 to 2592000"),
        ("FOLDSTREAM_FLIGHT_CONFIRMATION_SECONDS", "2592001", "should be a whole number from 1 to 2592000"),
        ("FOLDSTREAM_METRICS_HOST", "my host", "should be 1 to 256 visible ASCII characters"),
        ("FOLDSTREAM_METRICS_PORT", "0", "should be a whole number from 1 to 65535"),
        ("FOLDSTREAM_METRICS_PORT", "65536", "should be a whole number from 1 to 65535"),
        ("FOLDSTREAM_METRICS_PORT", "metrics", "should be a whole number from 1 to 65535"),
        ("FOLDSTREAM_HEAD_BYTES", "1023", "should be a whole number from 1024 to 1048576"),
        ("FOLDSTREAM_URL_BYTES", "65536", "should be a whole number from 256 to 65535"),
        ("FOLDSTREAM_HEADERS", "9", "should be a whole number from 10 to 10000"),
        ("FOLDSTREAM_KEEP_ALIVE_SECONDS", "0", "should be a whole number from 1 to 3600"),
        ("FOLDSTREAM_CONNECTIONS", "100001", "should be a whole number from 1 to 100000"),
        ("FOLDSTREAM_OTLP_ENDPOINT", "collector:4318", BAD_COLLECTOR),
        ("FOLDSTREAM_OTLP_ENDPOINT", "http://user:s3cret@collector:4318", BAD_COLLECTOR),
        ("FOLDSTREAM_TRACES_RATIO", "1.5", "should be a number from 0 to 1, such as 0.05"),
        ("FOLDSTREAM_TRACES_RATIO", "-0", "should be a number from 0 to 1, such as 0.05"),
        ("FOLDSTREAM_TRACES_RATIO", "nan", "should be a number from 0 to 1, such as 0.05"),
    ],
)
def test_what_can_t_be_used_is_refused_by_name_and_reason(variable: str, value: str, reason: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_mapping({variable: value})
    assert str(refusal.value) == f"{variable}: {reason}"


def test_a_server_that_has_to_be_named_is_asked_for() -> None:
    with pytest.raises(SettingsError) as no_store:
        _ = Settings().eventstore
    with pytest.raises(SettingsError) as no_redis:
        _ = Settings().redis
    assert str(no_store.value) == "FOLDSTREAM_EVENTSTORE_URI: is not set; it names the server to use"
    assert str(no_redis.value) == "FOLDSTREAM_REDIS_URI: is not set; it names the server to use"


def test_a_refusal_repeats_no_value() -> None:
    secret = "s3cret"
    for variable in ("FOLDSTREAM_EVENTSTORE_URI", "FOLDSTREAM_REDIS_URI"):
        with pytest.raises(SettingsError) as refusal:
            Settings.from_mapping({variable: f"http://user:{secret}@host"})
        assert secret not in "".join(traceback.format_exception(refusal.value))
