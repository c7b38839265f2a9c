"""Settings come from a file in TOML, the environment and options: the later of these is the stronger."""

from pathlib import Path

import pytest

from infrastructure.uri import kept_in
from service.settings import PerProjection, Settings, SettingsError

BY_PROJECTION = (
    "should be a whole number from 1 to 86400, or a table of such by projection, with default for the others"
)
STORE = "esdb://app:s3cr3t@store:2113"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "foldstream.toml"


def read(file: Path, text: str, **variables: str) -> Settings:
    """The settings that a file with this text, and variables beside it, give."""
    file.write_text(text, encoding="utf-8")
    return Settings.from_mapping({"FOLDSTREAM_CONFIG": str(file), **variables})


def test_each_kind_of_value_has_its_own_type(file: Path) -> None:
    text = """
    command_seconds = 9
    partitions = 4
    namespace = "shop"
    production = true
    priorities = ["stock_levels", "order_summary"]
    access_algorithms = ["ES256"]
    access_keys = "https://id.example/keys"
    redis_uri = "redis://redis:6379/1"
    lag_seconds = 60
    traces_ratio = 0.05
    otlp_endpoint = "http://collector:4318"

    [lag_events]
    default = 500
    stock_levels = 50
    """
    assert read(file, text) == Settings(
        command_seconds=9,
        partitions=4,
        namespace="shop",
        production=True,
        priorities=("stock_levels", "order_summary"),
        access_algorithms=("ES256",),
        access_keys="https://id.example/keys",
        redis_uri="redis://redis:6379/1",
        lag_seconds=PerProjection(60),
        traces_ratio=0.05,
        otlp_endpoint="http://collector:4318",
        lag_events=PerProjection(500, {"stock_levels": 50}),
    )


def test_a_table_without_a_default_leaves_that_of_the_setting(file: Path) -> None:
    assert read(file, "lag_events = {stock_levels = 50}").lag_events == PerProjection(1_000, {"stock_levels": 50})


def test_a_variable_is_stronger_than_the_file_and_an_option_than_both(file: Path) -> None:
    text = 'redis_uri = "redis://file"\neventstore_uri = "esdb://file?tls=false"\nnamespace = "file"\npartitions = 2'
    variables = {"FOLDSTREAM_REDIS_URI": "redis://variable", "FOLDSTREAM_NAMESPACE": "variable"}
    options = {"FOLDSTREAM_OPTION_REDIS_URI": "redis://option"}
    assert read(file, text, **variables, **options) == Settings(
        eventstore_uri="esdb://file?tls=false", redis_uri="redis://option", namespace="variable", partitions=2
    )


def test_settings_remember_the_place_of_each(file: Path) -> None:
    variables = {"FOLDSTREAM_NAMESPACE": "variable", "FOLDSTREAM_OPTION_REDIS_URI": "redis://option"}
    settings = read(file, "partitions = 2", **variables)
    places = [settings.place_of(name) for name in ("partitions", "namespace", "redis_uri", "production")]
    assert places == [f"{file}: partitions", "FOLDSTREAM_NAMESPACE", "--redis", "FOLDSTREAM_PRODUCTION"]


def test_an_empty_variable_leaves_what_the_file_says(file: Path) -> None:
    assert read(file, "partitions = 2", FOLDSTREAM_PARTITIONS="") == Settings(partitions=2)
    assert Settings.from_mapping({"FOLDSTREAM_CONFIG": ""}) == Settings()


def test_paths_are_those_from_the_folder_of_the_file(file: Path) -> None:
    text = """
    tls_certificate_file = "tls/api.pem"
    tls_key_file = "/run/secrets/api.key"
    access_keys = "keys.json"
    development_key = "../key.jwk"
    token_file = "token"
    """
    assert read(file, text) == Settings(
        tls_certificate_file=str(file.parent / "tls" / "api.pem"),
        tls_key_file="/run/secrets/api.key",
        access_keys=str(file.parent / "keys.json"),
        development_key=str(file.parent / ".." / "key.jwk"),
        token_file=str(file.parent / "token"),
    )


def test_a_uri_may_stand_in_a_file_that_the_file_names(file: Path) -> None:
    (file.parent / "store").write_text(f"{STORE}\n", encoding="utf-8")
    assert read(file, 'eventstore_uri_file = "store"') == Settings(
        eventstore_uri=kept_in(STORE, str(file.parent / "store"))
    )


def test_one_that_a_variable_gives_is_not_read_from_its_file(file: Path) -> None:
    text = 'redis_uri_file = "missing"'
    assert read(file, text, FOLDSTREAM_REDIS_URI="redis://variable") == Settings(redis_uri="redis://variable")


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("comand_seconds = 4", "comand_seconds: is no setting; the nearest is command_seconds"),
        ("FOLDSTREAM_COMMAND_SECONDS = 4", "FOLDSTREAM_COMMAND_SECONDS: is no setting; the nearest is command_seconds"),
        ("[zzz]", "zzz: is no setting; docs/settings.md lists all"),
        ('command_seconds = "4"', "command_seconds: should be a whole number from 1 to 60"),
        ("command_seconds = 4.0", "command_seconds: should be a whole number from 1 to 60"),
        ("command_seconds = true", "command_seconds: should be a whole number from 1 to 60"),
        ("command_seconds = 61", "command_seconds: should be a whole number from 1 to 60"),
        ("[command_seconds]", "command_seconds: should be a whole number from 1 to 60"),
        ("traces_ratio = 2", "traces_ratio: should be a number from 0 to 1, such as 0.05"),
        ("traces_ratio = true", "traces_ratio: should be a number from 0 to 1, such as 0.05"),
        ("partitions = 3", "partitions: should be 1, 2, 4, 8 or 16"),
        ("partitions = true", "partitions: should be 1, 2, 4, 8 or 16"),
        ("namespace = 1", "namespace: should be text, in quotes"),
        ('namespace = "a b"', "namespace: should be 1 to 64 letters of a to z, digits, '.', '_' or '-'"),
        ('priorities = "order_summary"', 'priorities: should be a list of names, such as ["one", "other"]'),
        ("priorities = [1]", 'priorities: should be a list of names, such as ["one", "other"]'),
        ('access_algorithms = ["none"]', "access_algorithms: should be some of RS256, ES256, EdDSA, with commas"),
        ('production = "yes"', "production: should be true or false"),
        ("token_file = 1", "token_file: should be the path of a file, in quotes"),
        ('access_keys = ""', "access_keys: should be the path of a file, in quotes"),
        ('lag_seconds = "5,stock_levels=6"', f"lag_seconds: {BY_PROJECTION}"),
        ("[lag_seconds]\nstock_levels = 0", f"lag_seconds: {BY_PROJECTION}"),
        ('redis_uri = "redis://host"\nredis_uri_file = "y"', "redis_uri_file: is set beside redis_uri"),
        ("partitions = 2\n\nnamespace == 1", "line 3: is no TOML: invalid value"),
        ("partitions = 2\npriorities = [", "line 2: is no TOML: invalid value"),
        ("x = " + "[" * 10_000, "is nested too deeply"),
    ],
)
def test_what_can_t_be_used_is_refused_by_file_key_and_what_is_allowed(file: Path, text: str, refusal: str) -> None:
    assert refused(file, text) == f"{file}: {refusal}"


def test_what_a_variable_overrides_is_refused_all_the_same(file: Path) -> None:
    assert (
        refused(file, "partitions = 3", FOLDSTREAM_PARTITIONS="4") == f"{file}: partitions: should be 1, 2, 4, 8 or 16"
    )


def test_a_file_that_can_t_be_read_is_named_with_its_variable(tmp_path: Path) -> None:
    large, binary = tmp_path / "large", tmp_path / "binary"
    large.write_text("#" * (1024 * 1024 + 1), encoding="utf-8")
    binary.write_bytes(b"\xff")
    reasons = {
        tmp_path / "missing": "no such file or directory",
        tmp_path: "is a directory",
        large: "is larger than 1 MiB",
        binary: "is no text in UTF-8",
    }
    for path, reason in reasons.items():
        with pytest.raises(SettingsError) as refusal:
            Settings.from_mapping({"FOLDSTREAM_CONFIG": str(path)})
        assert str(refusal.value) == f"FOLDSTREAM_CONFIG: {path}: {reason}"


def test_a_refusal_repeats_no_password(file: Path) -> None:
    (file.parent / "store").write_text(STORE.replace("esdb", "http"), encoding="utf-8")
    for text in (f'eventstore_uri = "{STORE}/path"', 'eventstore_uri_file = "store"', f'eventstore_uri = "{STORE}" x'):
        assert "s3cr3t" not in refused(file, text)


def refused(file: Path, text: str, **variables: str) -> str:
    with pytest.raises(SettingsError) as refusal:
        read(file, text, **variables)
    return str(refusal.value)
