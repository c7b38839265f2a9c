"""`foldstream config` shows what a process would use, without a server, a token or a secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from tests.support.commands import ran

SECRET = "s3cr3t"
STORE = f"esdb://app:{SECRET}@store:2113?tls=true&connectionName=shop"
FILE = f"""
namespace = "shop"
redis_uri = "redis://file/1"
access_keys = "https://id.example/keys?key={SECRET}"
priorities = ["order_summary"]
[lag_events]
default = 500
stock_levels = 50
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "store").write_text(STORE, encoding="utf-8")
    path = tmp_path / "foldstream.toml"
    path.write_text(FILE, encoding="utf-8")
    return str(path)


def shown(*options: str, **environment: str) -> dict[str, list[Any]]:
    """Value, source and what in it gives the value, by setting."""
    code, output, errors = ran("config", "--json", *options, **environment)
    assert (code, errors) == (0, [])
    assert SECRET not in "".join(output)
    listed = json.loads("".join(output))["settings"]
    return {each["name"]: [each["value"], each["source"], each["by"]] for each in listed}


def test_each_setting_has_its_value_and_its_source(file: str) -> None:
    environment = {
        "FOLDSTREAM_CONFIG": file,
        "FOLDSTREAM_EVENTSTORE_URI_FILE": str(Path(file).parent / "store"),
        "FOLDSTREAM_COMMAND_SECONDS": "9",
        "FOLDSTREAM_PRODUCTION": "yes",
    }
    option = f"rediss://option:6380?username=app&password={SECRET}"
    found = shown("--redis", option, **environment)
    assert list(found) == list(Settings.model_fields)
    assert {name: each for name, each in found.items() if each[1] != "default"} == {
        "eventstore_uri": [
            "esdb://…@store:2113?tls=true&connectionName=shop",
            "environment",
            "FOLDSTREAM_EVENTSTORE_URI_FILE",
        ],
        "redis_uri": ["rediss://option:6380?username=…&password=…", "option", "--redis"],
        "namespace": ["shop", "file", file],
        "access_keys": ["https://id.example/keys?…", "file", file],
        "priorities": [["order_summary"], "file", file],
        "lag_events": [{"default": 500, "stock_levels": 50}, "file", file],
        "command_seconds": [9, "environment", "FOLDSTREAM_COMMAND_SECONDS"],
        "production": [True, "environment", "FOLDSTREAM_PRODUCTION"],
    }
    assert {found[name][2] for name in found if found[name][1] == "default"} == {None}


def test_a_process_that_is_started_with_an_option_says_so_of_what_it_was_given(file: str) -> None:
    """Processes hand options on to those that they start by variables of their own."""
    environment = {"FOLDSTREAM_CONFIG": file, "FOLDSTREAM_OPTION_REDIS_URI": "redis://option"}
    assert shown(**environment)["redis_uri"] == ["redis://option", "option", "--redis"]


def test_people_get_a_table(file: str) -> None:
    code, output, errors = ran("config", FOLDSTREAM_CONFIG=file, FOLDSTREAM_PRODUCTION="yes")
    assert (code, errors, len(output)) == (0, [], 1 + len(Settings.model_fields))
    lines = [line.split(maxsplit=2) for line in output]
    assert lines[:2] == [["setting", "value", "from"], ["eventstore_uri", "none", "default"]]
    assert ["namespace", "shop", f"file {file}"] in lines
    assert ["lag_events", "500,stock_levels=50", f"file {file}"] in lines
    assert ["production", "yes", "environment FOLDSTREAM_PRODUCTION"] in lines
    assert ["skip_unreadable", "none", "default"] in lines


def test_what_can_t_be_used_is_refused_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "foldstream.toml"
    file.write_text('priorities = ["order_sumary"]', encoding="utf-8")
    code, output, errors = ran("config", FOLDSTREAM_CONFIG=str(file))
    assert (code, output, len(errors)) == (2, [], 1)
    assert errors[0].startswith(f"foldstream config: {file}: priorities: there is no projection 'order_sumary'; ")
    line = "foldstream lag: FOLDSTREAM_REDIS_URL: is no setting; the nearest is FOLDSTREAM_REDIS_URI"
    assert ran("lag", FOLDSTREAM_REDIS_URL="redis://host") == (2, [], [line])
