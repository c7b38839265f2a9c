"""`foldstream rebuild --into` makes a view by processes of its own, whatever is killed meanwhile."""

import json
import signal
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import redis
from typer.testing import CliRunner

from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.times import time_text
from service.cli.main import app
from tests.service.cli.views.conftest import SECONDS, Shelf
from tests.service.http.api_server import NOBODY
from tests.support.polling import poll_until
from tests.support.processes import children, is_alive, kill_hard

MAKE = ("rebuild", "stock_levels", "--into")


def test_it_tells_how_far_it_is_and_what_came_of_it(shelf: Shelf) -> None:
    asked = ("--to-position", str(shelf.between), "--workers", "2", "--ttl", "2h", "--why", "to see", "--json")
    process = shelf.start(*MAKE, "first", *asked)
    assert process.wait(within=SECONDS) == 0
    *progress, made = map(json.loads, process.output)
    assert {(each["view"], each["partitions"]) for each in progress} == {("first", 4)}
    view = shelf.find("first")
    assert view is not None
    told = {name: made[name] for name in ("view", "projection", "state", "to_position", "position", "partitions")}
    assert told == {
        "view": "first", "projection": "stock_levels", "state": "ready", "to_position": shelf.between,
        "position": shelf.between, "partitions": 4,
    }  # fmt: skip
    assert (view.why, view.made_by.partition(":")[0], made["rows"] >= 6) == ("to see", "cli", True)
    assert timedelta(hours=1, minutes=59) < view.expires - datetime.now(UTC) <= timedelta(hours=2)
    assert shelf.on_hand("first") == [3] * 6
    [logged] = [json.loads(line) for line in process.errors if '"view_built"' in line]
    assert (logged["projection"], logged["view"], logged["why"]) == ("stock_levels", "first", "to see")


def test_a_token_is_taken_where_it_is_of_the_same_store(shelf: Shelf) -> None:
    view = shelf.make("token", to_position=shelf.between)
    token = f"1.{shelf.between}.00000000.{view.store[:8]}"
    assert shelf.run(*MAKE, "token", "--to-position", token).exception is None
    refused = shelf.run(*MAKE, "token", "--to-position", f"1.{shelf.between}.00000000.00000000")
    assert str(refused.exception) == "stock_levels: a position is of another event store"


def test_of_another_past_under_the_same_name_it_makes_none(shelf: Shelf) -> None:
    view = shelf.make("same", to_position=shelf.between)
    refused = shelf.run(*MAKE, "same", "--to-position", "1")
    assert str(refused.exception) == f"stock_levels: there is a view same already, as of position {shelf.between}"
    said = shelf.run(*MAKE, "same", "--to-position", str(shelf.between))
    rows = f"{said.stdout.split()[5]} rows"
    end = time_text(view.expires.replace(microsecond=0))
    assert said.stdout == (
        f"stock_levels: the view same holds {rows} as of position {shelf.between}, at position {shelf.between};"
        f" ?view=same reads it until {end}\n"
    )
    assert shelf.find("same") == view


def test_where_it_is_killed_its_processes_end_and_the_next_call_finishes(shelf: Shelf) -> None:
    process = shelf.start(*MAKE, "killed", "--to-position", str(shelf.between), "--workers", "2")
    building = poll_until(partial(children, process.pid), seconds=SECONDS, what="processes that build")
    kill_hard(process.pid)
    process.wait(within=SECONDS)
    poll_until(lambda: not any(map(is_alive, building)), seconds=20, what="the end of those that build")
    with redis.Redis.from_url(shelf.settings.redis) as connection:  # as after ten seconds
        connection.delete(ProjectionKeys(shelf.settings.namespace, "stock_levels").view_lease("killed"))
    again = shelf.start(*MAKE, "killed", "--to-position", str(shelf.between), "--workers", "2")
    assert again.wait(within=SECONDS) == 0
    assert shelf.on_hand("killed") == [3] * 6


def test_a_process_of_it_that_is_killed_is_started_again(shelf: Shelf) -> None:
    process = shelf.start(*MAKE, "again", "--to-position", str(shelf.between), "--workers", "1")
    [building] = poll_until(partial(children, process.pid), seconds=SECONDS, what="a process that builds")
    kill_hard(building)
    assert process.wait(within=SECONDS) == 0
    assert shelf.on_hand("again") == [3] * 6


def test_interrupted_it_ends_with_130_and_its_processes_with_it(shelf: Shelf) -> None:
    process = shelf.start(*MAKE, "interrupted", "--workers", "1")
    building = poll_until(partial(children, process.pid), seconds=SECONDS, what="a process that builds")
    process.send(signal.SIGINT)
    assert process.wait(within=SECONDS) == 130
    assert not any(map(is_alive, building))
    assert [line for line in process.errors if not line.startswith("{")] == []
    view = shelf.find("interrupted")
    assert view is None or view.state == "building"


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["--as-of", "1d"], "--as-of belongs to --into"),
        (["--ttl", "1d"], "--ttl belongs to --into"),
        (["--from-position", "0"], "--from-position belongs to --into"),
        (["--into", "Upper"], "'Upper' should be 1 to 32 characters of a-z, 0-9 and -"),
        (["--into", "x", "--ttl", "59s"], "'59s' should be a time such as 90m, 12h or 7d, from 1m to 366d"),
        (["--into", "x", "--ttl", "367d"], "'367d' should be a time such as 90m, 12h or 7d, from 1m to 366d"),
        (["--into", "x", "--ttl", "999999999w"], "should be a time such as"),
        (["--into", "x", "--to-position", "one"], "'one' should be a position, or a token"),
        (["--into", "x", "--as-of", "1d", "--to-position", "1"], "give either --as-of or --to-position"),
        (["--into", "x", "--from-time", "1d", "--from-position", "1"], "give either --from-time or --from-position"),
        (["--into", "x", "--as-of", "2999-01-01"], "--as-of is not past"),
        (["--into", "x", "--from-time", "2999-01-01"], "--from-time is not past"),
        (["--into", "x", "--from-time", "1d", "--as-of", "2d"], "--from-time is after --as-of"),
        (["--into", "x", "--from-position", "2", "--to-position", "1"], "--from-position is after --to-position"),
        (["--into", "x", "--keep"], "--keep has no effect with --into"),
        (["--into", "x", "--abort", "--yes"], "give either --abort or --into"),
        (["--into", "x", "--dry-run"], "give either --dry-run or --into"),
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], refusal: str) -> None:
    said = CliRunner().invoke(app, ["rebuild", "stock_levels", *arguments])
    assert said.exit_code == 2
    assert refusal in " ".join(said.stderr.split())


@pytest.mark.parametrize(
    ("away", "refusal"),
    [
        ({"redis_uri": f"redis://{NOBODY}"}, f"Redis at redis://{NOBODY}"),
        ({"eventstore_uri": f"esdb://{NOBODY}?tls=false"}, f"The event store at {NOBODY} can't be used: "),
    ],
)
def test_a_server_that_is_away_is_named(shelf: Shelf, away: dict[str, str], refusal: str) -> None:
    nowhere = Shelf(shelf.settings.model_copy(update=away), shelf.skus, shelf.between)
    assert str(nowhere.run(*MAKE, "none").exception).startswith(refusal)
