"""The login of a URI that stands in a file follows the file; what can't be used changes nothing and is told of once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from structlog.testing import capture_logs

from infrastructure.readmodels.login import with_login
from infrastructure.readmodels.uri import address_in, nodes_in, require_valid
from infrastructure.uri import kept_in
from infrastructure.uri_file import UriFile

BEFORE: Final = "redis://ada:first@host:6379/1?client_name=shop"
AFTER: Final = "redis://eve:next@host:6379/1?client_name=shop"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a #1 file"
    path.write_text(f"{BEFORE}\n", encoding="utf-8")
    return path


def read(file: Path) -> UriFile:
    return UriFile(kept_in(BEFORE, str(file)), require_valid)


def told(log: list[Any]) -> list[Mapping[str, Any]]:
    return [{key: value for key, value in line.items() if key != "file"} for line in log]


def unusable(reason: str) -> Mapping[str, str]:
    consequence = "the login before is used"
    return {"event": "uri_file_unusable", "log_level": "warning", "reason": reason, "consequence": consequence}


def test_a_new_login_counts_from_the_next_look_on(file: Path) -> None:
    uri = read(file)
    assert uri.current() == BEFORE
    file.write_text(f"{AFTER}\r\n", encoding="utf-8")
    with capture_logs() as log:
        assert [uri.current(), uri.current()] == [AFTER, AFTER]
    assert log == [{"event": "login_changed", "file": str(file), "log_level": "info"}]


def test_one_that_changed_before_the_first_connection_counts(file: Path) -> None:
    uri = read(file)
    file.write_text(AFTER, encoding="utf-8")
    assert uri.current() == AFTER


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff", "is no text in UTF-8"),
        (b"redis://ada:next@host:0/1", "has a port that is not from 1 to 65535"),
        (AFTER.replace("host", "other").encode(), "says more than another login, which takes a restart"),
        (AFTER.replace("/1", "/2").encode(), "says more than another login, which takes a restart"),
        (AFTER.replace("shop", "till").encode(), "says more than another login, which takes a restart"),
    ],
)
def test_what_is_no_other_login_changes_nothing_and_is_told_of_once(file: Path, content: bytes, reason: str) -> None:
    uri = read(file)
    uri.current()
    file.write_bytes(content)
    with capture_logs() as log:
        assert [uri.current(), uri.current()] == [BEFORE, BEFORE]
    assert told(log) == [unusable(reason)]
    file.write_text(AFTER, encoding="utf-8")
    assert uri.current() == AFTER


def test_a_file_that_is_gone_changes_nothing_and_counts_when_it_is_there_again(file: Path) -> None:
    uri = read(file)
    file.unlink()
    with capture_logs() as log:
        assert [uri.current(), uri.current()] == [BEFORE, BEFORE]
    assert told(log) == [unusable("no such file or directory")]
    file.write_text(AFTER, encoding="utf-8")
    assert uri.current() == AFTER


def test_a_file_that_can_not_even_be_looked_for_changes_nothing_and_is_told_of(tmp_path: Path) -> None:
    """As in a folder that may not be entered; root enters any, so a name that no file has stands for that."""
    uri = read(tmp_path / ("a" * 300))
    with capture_logs() as log:
        assert uri.current() == BEFORE
    assert told(log) == [unusable("file name too long")]


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with capture_logs() as log:
        assert UriFile(kept_in(BEFORE, str(tmp_path / "pipe")), require_valid).current() == BEFORE
    assert log == []


@pytest.mark.parametrize(
    ("uri", "server", "login"),
    [
        (BEFORE, "redis://host:6379/1?client_name=shop", ("ada", "first")),
        ("unix://ada:a%40b@/run/redis.sock?db=1", "unix:///run/redis.sock?db=1", ("ada", "a@b")),
        ("redis://host?username=ada&db=2&password=a%2Bb", "redis://host?db=2", ("ada", "a+b")),
        ("redis://:first@host", "redis://host", ("first",)),
        ("redis://host", "redis://host", ()),
    ],
)
def test_redis_is_asked_with_the_login_of_the_file(
    tmp_path: Path, uri: str, server: str, login: tuple[str, ...]
) -> None:
    (tmp_path / "uri").write_text(uri, encoding="utf-8")
    bare, options = with_login(kept_in(uri, str(tmp_path / "uri")))
    assert (bare, options["credential_provider"].get_credentials()) == (server, login)
    assert with_login(uri) == (uri, {})


def test_each_server_of_a_cluster_is_asked_with_the_login_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "uri"
    file.write_text("rediss+cluster://ada:first@a:1,b:2?client_name=shop", encoding="utf-8")
    uri = kept_in(file.read_text(encoding="utf-8"), str(file))
    assert (nodes_in(uri), address_in(uri)) == ([("a", 1), ("b", 2)], "rediss+cluster://a:1,b:2")
    bare, options = with_login(uri, ("::1", 3))
    assert bare == "rediss://[::1]:3?client_name=shop"
    assert options["credential_provider"].get_credentials() == ("ada", "first")
    file.write_text("rediss+cluster://ada:next@a:1,b:2?client_name=shop", encoding="utf-8")
    assert options["credential_provider"].get_credentials() == ("ada", "next")
