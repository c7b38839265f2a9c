"""What `foldstream lag`, `projections list` and `projections show` print, where, and how they end."""

import json
import os
import pty
import re
import shlex
import signal
import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.status import Failure, LastError, Status, now, report
from service.cli.main import app
from service.cli.projections.report import print_lag, print_list, print_one
from service.consumers import PROJECTIONS
from service.errors import NoStore, RedisUnavailable
from service.settings import Settings
from tests.service.cli.projections.conftest import Followed, printed
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import EVIL, raw
from tests.service.http.api_server import serving
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.terminal import read_until

NAMES = [projection.name for projection in PROJECTIONS]
BY_CUSTOMER = PROJECTIONS[1]
STOCK = PROJECTIONS[2]
WAIT = 60.0


def test_a_table_has_a_row_for_each_projection(followed: Followed, capsys: pytest.CaptureFixture[str]) -> None:
    head, *rows = printed(partial(print_lag, followed.settings, PROJECTIONS, as_json=False), capsys).splitlines()
    assert re.split(" {2,}", head) == [
        "projection", "state", "events", "seconds", "blocked", "waiting", "rate", "position", "worker", "last error",
    ]  # fmt: skip
    assert [row.split()[:6] for row in rows] == [[name, "ok", "0", "0.0", "0", "0"] for name in NAMES]
    assert {row.split()[8].rpartition(":")[2] for row in rows} == {str(followed.worker.pid)}


def test_the_list_has_each_generation_with_its_partitions_and_workers(
    followed: Followed, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = json.loads(printed(partial(print_list, followed.settings, PROJECTIONS, as_json=True), capsys))
    found = [(each["projection"], each["version"], each["live"], each["building"]) for each in listed["projections"]]
    assert found == [(projection.name, projection.version, 1, None) for projection in PROJECTIONS]
    generations = [each["generations"] for each in listed["projections"]]
    assert [[(each["live"], each["partition_count"]) for each in own] for own in generations] == [[(True, 1)]] * len(
        PROJECTIONS
    )
    table = printed(partial(print_list, followed.settings, [STOCK], as_json=False), capsys).splitlines()
    assert re.split(" {2,}", table[1])[:5] == ["stock_levels", "1", "ok", "1 live", "1"]


def test_who_holds_which_lease_is_told_and_where_nobody_does(
    followed: Followed, capsys: pytest.CaptureFixture[str], redis_uri: str
) -> None:
    keys = ProjectionKeys(followed.settings.namespace, STOCK.name).partition(1, 0)
    one = partial(print_one, followed.settings, STOCK)
    with redis.Redis.from_url(redis_uri, decode_responses=True) as connection:
        worker: Any = connection.get(keys.lease)
        [generation] = json.loads(printed(partial(one, as_json=True), capsys))["generations"]
        assert generation["leases"] == [{"worker": worker, "seconds": generation["leases"][0]["seconds"]}]
        assert 0 < generation["leases"][0]["seconds"] <= 5
        assert re.search(f"  {worker}, [0-5] s  ", printed(partial(one, as_json=False), capsys))
        assert listed(followed, capsys).endswith("  1 of 1")
        followed.pause()
        try:
            connection.delete(keys.lease)
            assert "  no lease  " in printed(partial(one, as_json=False), capsys)
            connection.hset(keys.lease, "no", "lease")
            [generation] = json.loads(printed(partial(one, as_json=True), capsys))["generations"]
            without = listed(followed, capsys)
        finally:
            followed.resume()
    assert generation["leases"] == [None]
    assert without.endswith("  no lease")


def listed(followed: Followed, capsys: pytest.CaptureFixture[str]) -> str:
    """The row of stock levels in the list."""
    return printed(partial(print_list, followed.settings, [STOCK], as_json=False), capsys).splitlines()[1]


def test_one_is_shown_with_checkpoint_anchor_worker_and_sizes(
    followed: Followed, capsys: pytest.CaptureFixture[str], redis_uri: str
) -> None:
    position = followed.http.post("/stock/shown/receipts", json={"quantity": 1}).json()["position"]
    assert followed.http.get("/stock/shown", params={"at_least": position, "wait": 30}).status_code == 200
    shown = json.loads(printed(partial(print_one, followed.settings, STOCK, as_json=True), capsys))
    [[partition]] = [each["partitions"] for each in shown["generations"]]
    keys = ProjectionKeys(followed.settings.namespace, "stock_levels").partition(1, 0)
    with redis.Redis.from_url(redis_uri) as connection:
        checkpoint: Any = connection.get(keys.checkpoint)
        rows: Any = connection.zcard(keys.ids)
    stored = json.loads(checkpoint)
    assert (partition["checkpoint"], partition["anchor"]) == (stored["position"], stored["anchor"])
    assert (partition["rows"], partition["entries_exact"]) == (rows, True)
    assert partition["worker"].endswith(f":{followed.worker.pid}")
    assert partition["bytes"] > 100 * rows
    table = printed(partial(print_one, followed.settings, STOCK, as_json=False), capsys).splitlines()
    assert table[0] == "stock_levels, version 1: ok"
    assert re.split(" {2,}", table[2])[:3] == ["1 live", "0", str(stored["position"])]


def test_servers_that_are_away_are_named_without_passwords(followed: Followed) -> None:
    settings = followed.settings
    nowhere: Settings = settings.model_copy(update={"redis_uri": "redis://:a-secret@127.0.0.1:1/0"})
    for run in (print_lag, print_list):
        with pytest.raises(RedisUnavailable, match=r"^Redis at redis://127\.0\.0\.1:1/0 can't be used: ") as away:
            run(nowhere, PROJECTIONS, as_json=False)
        assert "a-secret" not in str(away.value)
    without_store: Settings = settings.model_copy(update={"eventstore_uri": "esdb://a:a-secret@127.0.0.1:1?tls=false"})
    with pytest.raises(StoreUnavailable, match=r"^The event store at 127\.0\.0\.1:1 can't be used: "):
        print_lag(without_store, [STOCK], as_json=False)


def test_a_redis_that_is_silent_is_said_to_be(followed: Followed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_redis = {"redis_uri": f"redis://127.0.0.1:{silent.getsockname()[1]}/0"}
        settings: Settings = followed.settings.model_copy(update=silent_redis)
        with pytest.raises(RedisUnavailable, match=r"can't be used: (no answer within 5 s|Timeout reading from .*)$"):
            print_lag(settings, [STOCK], as_json=False)
        with serving(settings) as http:
            check = http.get("/health/ready", timeout=30).json()["checks"]["redis"]
    assert (check["state"], check["detail"].partition("/0: ")[2]) == ("away", "no answer within 1 s")


def started(followed: Followed, *arguments: str, closed: str = "") -> Listened:
    command = f"exec {shlex.join([*FOLDSTREAM, *arguments])} {closed}"
    return Listened(("sh", "-c", command), {**followed.environment, "PYTHONPATH": str(Path.cwd())})


def test_watched_it_prints_a_line_or_a_document_each_second_until_it_is_interrupted(followed: Followed) -> None:
    lines = started(followed, "lag", "stock_levels", "--watch")
    documents = started(followed, "lag", "stock_levels", "--watch", "--json")
    closed = started(followed, "lag", closed=">&-")
    unread = started(followed, "lag", "--watch", closed="| head -n 1")
    lines.line("20", within=WAIT)
    documents.line("{", within=WAIT)
    for process in (lines, documents):
        written = len(process.output)
        poll_until(partial(has_more, process, written), seconds=WAIT, what="the next line")
        process.send(signal.SIGINT)
    ends = [process.wait(within=WAIT) for process in (lines, documents, closed, unread)]
    assert ends == [130, 130, 1, 0]
    assert [process.errors for process in (lines, documents, unread)] == [[], [], []]
    assert closed.errors == ["foldstream lag: the output can't be written: it is closed"]
    at, name, state, events = lines.output[0].split()[:4]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", at)
    assert (name, state, events) == ("projection=stock_levels", "state=ok", "events=0")
    found = [json.loads(document)["projections"] for document in documents.output]
    assert [[each["projection"] for each in one] for one in found] == [["stock_levels"]] * len(found)


def has_more(process: Listened, written: int) -> bool:
    return len(process.output) > written


def test_options_before_the_word_count_as_those_behind_it(followed: Followed, tmp_path: Path) -> None:
    shown = started(followed, "projections", "--json", "show", STOCK.name)
    elsewhere = CliRunner().invoke(app, ["projections", "--data", str(tmp_path), "list"])
    assert shown.wait(within=WAIT) == 0
    assert json.loads("\n".join(shown.output))["projection"] == STOCK.name
    assert isinstance(elsewhere.exception, NoStore)
    assert elsewhere.exception.folder == tmp_path


def test_on_a_terminal_the_table_is_drawn_anew_from_the_top(followed: Followed) -> None:
    terminal, own_end = pty.openpty()
    try:
        command = f"exec {shlex.join([*FOLDSTREAM, 'lag', STOCK.name, '--watch'])} >{os.ttyname(own_end)}"
        environment = {**followed.environment, "PYTHONPATH": str(Path.cwd()), "TERM": "xterm", "COLUMNS": "150"}
        process = Listened(("sh", "-c", command), environment)
        first = read_until(terminal, b"stock_levels")
        again = read_until(terminal, b"stock_levels")
        process.send(signal.SIGINT)
        assert process.wait(within=WAIT) == 130
    finally:
        os.close(terminal)
        os.close(own_end)
    assert first.startswith(b"\x1b[H\x1b[J20")
    assert again.count(b"\x1b[H\x1b[J20") == 1


def test_what_a_worker_reports_is_shown_escaped(
    followed: Followed, capsys: pytest.CaptureFixture[str], redis_uri: str
) -> None:
    keys = ProjectionKeys(followed.settings.namespace, BY_CUSTOMER.name).partition(1, 0)
    error = LastError(error=EVIL, reason=f"redis://ada:s3cret@host {EVIL}", at=now())
    failure = Failure(error=EVIL, reason=EVIL)
    evil = Status(worker=EVIL, state="failed", failure=failure, at=now(), last_error=error)
    verbs = (
        partial(print_lag, followed.settings, [BY_CUSTOMER]),
        partial(print_list, followed.settings, [BY_CUSTOMER]),
        partial(print_one, followed.settings, BY_CUSTOMER),
    )
    told = ""
    followed.pause()
    try:
        with redis.Redis.from_url(redis_uri) as connection:
            for run in verbs:
                report(connection, keys, evil)
                told += printed(partial(run, as_json=False), capsys) + printed(partial(run, as_json=True), capsys)
    finally:
        followed.resume()
    assert raw(told) == []
    assert "forged" in told
    assert "\nforged" not in told
    assert "s3cret" not in told


def test_a_report_that_can_not_be_read_counts_as_none(
    followed: Followed, capsys: pytest.CaptureFixture[str], redis_uri: str
) -> None:
    keys = ProjectionKeys(followed.settings.namespace, STOCK.name).partition(1, 0)
    followed.pause()
    try:
        with redis.Redis.from_url(redis_uri) as connection:
            connection.set(keys.status, b'{"state": "unheard of", "worker": "\xff"}', px=10_000)
        [row] = json.loads(printed(partial(print_lag, followed.settings, [STOCK], as_json=True), capsys))["projections"]
    finally:
        followed.resume()
    assert (row["state"], row["detail"], row["workers"]) == ("stopped", "has no worker", [])
    followed.becomes(STOCK.name, "ok")
