"""What `foldstream audit` prints of a read model that differs from the log, and how it ends."""

import json
import os
import pty
import re
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from structlog.testing import capture_logs
from typer.testing import CliRunner

from domain.stock.stock import stock_id
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.terminal import printable
from service.cli.main import app
from service.cli.operator_act import Act
from service.cli.projections.audit import Plan, run_audit
from service.consumers import PROJECTIONS
from service.errors import NotAudited, RedisUnavailable
from service.settings import Settings
from tests.service.cli.projections.conftest import Followed, following
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import EVIL, raw
from tests.service.http.shop import done
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.terminal import read_until

[STOCK] = [projection for projection in PROJECTIONS if projection.name == "stock_levels"]
WAIT = 60.0
ALL = Plan(None)


@pytest.fixture(scope="module")
def followed(eventstore_uri: str, redis_uri: str) -> Iterator[Followed]:
    """One of its own: its workers tell of repairs."""
    with following(eventstore_uri, redis_uri) as made:
        yield made


@pytest.fixture
def damaged(followed: Followed, redis_uri: str) -> Iterator[str]:
    """The stream of a SKU whose row has a field that no event has put there."""
    sku = f"lamp-{uuid4().hex[:8]}"
    position = done(followed.http.post(f"/stock/{sku}/receipts", json={"quantity": 1}))["position"]
    assert followed.http.get(f"/stock/{sku}", params={"at_least": position, "wait": 30}).status_code == 200
    key = ProjectionKeys(followed.settings.namespace, STOCK.name).partition(1, 0).row(stock_id(sku))
    with redis.Redis.from_url(redis_uri) as connection:
        connection.hset(key, EVIL, EVIL)
        yield f"stock-{stock_id(sku)}"
        connection.hdel(key, EVIL)


def audited(settings: Settings, plan: Plan, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Its exit code, and what it prints."""
    with capture_logs():
        capsys.readouterr()
        return run_audit(settings, STOCK, plan, Act(None)), capsys.readouterr().out


def test_where_nothing_differs_it_says_so(followed: Followed, capsys: pytest.CaptureFixture[str]) -> None:
    for projection in PROJECTIONS:
        assert run_audit(followed.settings, projection, ALL, Act(None)) == 0
    assert capsys.readouterr().out.count(" folded again: 0 differences.\n") == len(PROJECTIONS)
    code, out = audited(followed.settings, Plan(10, as_json=True), capsys)
    answer = json.loads(out)
    assert (code, answer["projection"], answer["found"], answer["findings"]) == (0, "stock_levels", 0, [])


def test_what_differs_is_named_escaped_and_mended(
    followed: Followed, damaged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, table = audited(followed.settings, ALL, capsys)
    assert (code, raw(table)) == (3, [])
    row = table.splitlines()[1]
    assert row.split()[:5] == ["0", "extra", "field", damaged, printable(EVIL).split()[0]]
    assert table.endswith(" folded again: 1 difference.\n")
    code, out = audited(followed.settings, Plan(None, as_json=True), capsys)
    answer = json.loads(out)
    [found] = answer["findings"]
    assert (code, answer["found"], answer["repaired"], raw(out)) == (3, 1, 0, [])
    assert {name: value for name, value in found.items() if name != "position"} == {
        "partition": 0, "kind": "extra", "what": "field", "stream": damaged, "field": EVIL, "index": None,
        "member": None, "stored": EVIL, "folded": None, "outcome": None,
    }  # fmt: skip
    code, table = audited(followed.settings, Plan(None, repair=True, yes=True), capsys)
    assert (code, table.splitlines()[1].split()[-1]) == (3, "repaired")
    assert table.endswith(" folded again: 1 difference, 1 repaired.\n")
    assert audited(followed.settings, ALL, capsys)[0] == 0


def test_a_repair_is_logged_with_who_and_why(followed: Followed, damaged: str) -> None:
    with capture_logs() as logged:
        run_audit(followed.settings, STOCK, Plan(None, repair=True, yes=True), Act("after the crash"))
    [line] = [each for each in logged if each["event"] == "read_model_repaired"]
    told = (line["projection"], line["found"], line["repaired"], line["why"])
    assert told == ("stock_levels", 1, 1, "after the crash")
    assert line["actor"].startswith("cli:")


def test_what_the_background_audit_finds_is_told_until_it_is_mended(followed: Followed, damaged: str) -> None:
    told = f"what Redis has of 1 stream differs from the log, such as {damaged}: extra field {EVIL}"
    said = f"{told}; foldstream audit stock_levels --repair mends it"
    poll_until(lambda: detail(followed, STOCK.name) == said, seconds=WAIT, what=said)
    assert (followed.report()["status"], followed.state(STOCK.name)) == ("degraded", "blocked")
    poll_until(lambda: differing_streams(followed) == 1, seconds=WAIT, what="the metric")
    with capture_logs():
        assert run_audit(followed.settings, STOCK, Plan(1, repair=True, yes=True), Act("so it is")) == 3
    followed.becomes(STOCK.name, "ok")
    poll_until(lambda: differing_streams(followed) == 0, seconds=WAIT, what="the metric")


def differing_streams(followed: Followed) -> float | None:
    """As the metric tells; None where Redis did not answer in the time that a scrape has."""
    name = "foldstream_projection_differing_streams"
    return followed.metrics(name).get(f'{name}{{projection="{STOCK.name}"}}')


def test_once_all_rows_were_looked_at_ready_says_how_long_ago_that_began(followed: Followed) -> None:
    balances = "account_balance"
    report = poll_until(lambda: detail(followed, balances), seconds=WAIT, what="a whole round")
    assert report is not None
    assert re.fullmatch(r"all rows of \d+ s ago have been compared with the log since", report)
    [age] = [each for name, each in followed.metrics("foldstream_projection_audit_age").items() if balances in name]
    assert 0 <= age < 600


def detail(followed: Followed, name: str) -> str | None:
    found: str | None = followed.report()["checks"][name]["detail"]
    return found


def test_on_a_terminal_it_shows_how_far_it_is_and_asks_with_the_number(followed: Followed, damaged: str) -> None:
    terminal, own_end = pty.openpty()
    try:
        device = os.ttyname(own_end)
        process = started(followed, "audit", STOCK.name, "--all", "--repair", redirected=f"<{device} 2>{device}")
        shown = read_until(terminal, b"[y/N]: ")
        os.write(terminal, b"n\n")
        assert process.wait(within=WAIT) == 3
    finally:
        os.close(terminal)
        os.close(own_end)
    assert b", 1 difference\x1b[K" in shown
    assert shown.endswith(b"Repair 1 difference of stock_levels? [y/N]: ")
    assert process.output[-1].endswith(" folded again: 1 difference.")


def test_through_a_closed_output_it_says_one_line(followed: Followed, damaged: str) -> None:
    process = started(followed, "audit", STOCK.name, "--all", redirected=">&-")
    assert process.wait(within=WAIT) == 1
    assert process.errors == ["foldstream audit: the output can't be written: it is closed"]


def started(followed: Followed, *arguments: str, redirected: str) -> Listened:
    command = f"exec {shlex.join([*FOLDSTREAM, *arguments])} {redirected}"
    return Listened(("sh", "-c", command), {**followed.environment, "PYTHONPATH": str(Path.cwd())})


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["nothing"], "there is no projection 'nothing'; there are: order_summary, "),
        (["stock_levels", "--sample", "0"], "--sample"),
        (["stock_levels", "--sample", "1", "--all"], "give either --sample or --all"),
        (["stock_levels", "--yes"], "--yes and --why belong to --repair"),
        (["stock_levels", "--why", "so"], "--yes and --why belong to --repair"),
        (["stock_levels", "--repair"], "there is nobody to ask; --yes does it without asking"),
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], refusal: str) -> None:
    said = CliRunner().invoke(app, ["audit", *arguments])
    assert said.exit_code == 2
    assert refusal in " ".join(said.stderr.split())


def test_servers_that_are_away_and_models_that_are_not_there_are_named(followed: Followed) -> None:
    run = partial(run_audit, projection=STOCK, plan=ALL, act=Act(None))
    nowhere = {"redis_uri": "redis://:a-secret@127.0.0.1:1/0"}
    with pytest.raises(RedisUnavailable, match=r"^Redis at redis://127\.0\.0\.1:1/0 can't be used: "):
        run(followed.settings.model_copy(update=nowhere))
    with pytest.raises(StoreUnavailable, match=r"^The event store at 127\.0\.0\.1:1 can't be used: "):
        run(followed.settings.model_copy(update={"eventstore_uri": "esdb://127.0.0.1:1?tls=false"}))
    with pytest.raises(NotAudited, match=r"^stock_levels can't be audited: no generation is complete$"):
        run(followed.settings.model_copy(update={"namespace": f"none-{uuid4().hex[:8]}"}))
