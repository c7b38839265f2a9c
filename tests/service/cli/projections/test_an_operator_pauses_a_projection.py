"""`foldstream projections pause` and `resume`: what they print, and how readiness, queries and commands tell it."""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pauses import OPERATIONS_STREAM
from service.cli.operator_act import Act
from service.cli.projections.commands import app
from service.cli.projections.report import print_lag, print_list
from service.consumers import PROJECTIONS
from tests.service.cli.projections.conftest import Followed, printed
from tests.service.http.shop import done
from tests.support.forked import SETTINGS
from tests.support.polling import poll_until

STATEMENT = "account_statement"
PROJECTION = PROJECTIONS[4]
WHY = "the handler is wrong"
ACTOR = Act(None).actor
TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"


def ran(followed: Followed, *arguments: str) -> Result:
    """The verb as it ended in this process."""
    environment = {**dict.fromkeys(SETTINGS), **followed.environment}
    with capture_logs():
        return CliRunner().invoke(app, arguments, env=environment, standalone_mode=False)


def answered(followed: Followed, *arguments: str) -> dict[str, Any]:
    result = ran(followed, *arguments, "--json")
    assert result.return_value == 0
    return dict(json.loads(result.stdout))


def said(followed: Followed, verb: str) -> str:
    result = ran(followed, verb, STATEMENT, "--why", WHY)
    assert result.return_value == 0
    return result.stdout.strip()


def own_records(followed: Followed) -> int:
    """How many acts are recorded in the namespace."""
    with open_reader(followed.settings.eventstore) as reader:
        records = reader.page(OPERATIONS_STREAM, 0, 10_000) or ()
    return sum(json.loads(record.data)["namespace"] == followed.settings.namespace for record in records)


def await_given_back(followed: Followed) -> None:
    """Until the worker holds its lease no more."""
    key = ProjectionKeys(followed.settings.namespace, STATEMENT).partition(1, 0).lease
    with redis.Redis.from_url(followed.settings.redis) as connection:
        poll_until(lambda: not connection.exists(key), seconds=20, what="the lease to be given back")


@pytest.fixture(scope="module")
def paused(followed: Followed) -> Iterator[dict[str, Any]]:
    """What the first of two pauses answered; both are over at the end."""
    answer = answered(followed, "pause", STATEMENT, "--why", WHY)
    try:
        await_given_back(followed)
        followed.becomes(STATEMENT, "paused")  # the API knows it within a second
        yield answer
    finally:
        assert ran(followed, "resume", STATEMENT, "--why", "it is mended").return_value == 0
        followed.becomes(STATEMENT, "ok")


def opened(followed: Followed, consistency: str) -> Any:
    """A new account, for which that is waited."""
    form = {"owner_id": "ada", "currency": "EUR"}
    return followed.http.post("/accounts", json=form, params={"consistency": consistency, "wait": 15})


def test_it_is_recorded_once_and_said_by_whom_and_why(followed: Followed, paused: dict[str, Any]) -> None:
    pause = paused["paused"]
    assert (paused["projection"], paused["changed"]) == (STATEMENT, True)
    assert (pause["by"], pause["why"]) == (ACTOR, WHY)
    before = own_records(followed)
    again = answered(followed, "pause", STATEMENT, "--why", "once more")
    assert again == {"projection": STATEMENT, "changed": False, "paused": pause}
    told = said(followed, "pause")
    assert told == f'{STATEMENT} was paused already, since {pause["at"]} by {ACTOR} ("{WHY}")'
    assert own_records(followed) == before


def test_readiness_lag_and_the_list_show_it(
    followed: Followed, paused: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    followed.becomes(STATEMENT, "paused")
    report = followed.report()
    assert report["status"] == "degraded"
    assert [name for name, check in report["checks"].items() if not check["ok"]] == [STATEMENT]
    assert re.match(rf'paused since {TIME} by {ACTOR} \("{WHY}"\)', report["checks"][STATEMENT]["detail"])
    for run in (print_lag, print_list):
        told = json.loads(printed(partial(run, followed.settings, [PROJECTION], as_json=True), capsys))
        [shown] = told["projections"]
        assert (shown["state"], shown["paused"]) == ("paused", paused["paused"])
        lines = printed(partial(run, followed.settings, [PROJECTION], as_json=False), capsys).splitlines()
        assert lines[-1].startswith(f"{STATEMENT}: paused since ")
    metrics = followed.metrics("foldstream_check_state")
    assert metrics[f'foldstream_check_state{{check="{STATEMENT}",state="paused"}}'] == 1.0


@pytest.mark.usefixtures("paused")
def test_commands_do_not_wait_for_it_and_queries_beyond_it_are_refused(followed: Followed) -> None:
    none_of_its_own: dict[str, Any] = {"consistency": STATEMENT, "wait": 15}
    done(followed.http.post("/stock/paused/receipts", json={"quantity": 1}, params=none_of_its_own))
    account = opened(followed, STATEMENT)
    assert account.status_code == 202
    assert account.elapsed.total_seconds() < 10
    path, position = f"/accounts/{account.json()['id']}", account.headers["Foldstream-Position"]
    assert followed.http.get(path, params={"at_least": position, "wait": 15}).status_code == 200
    refused = followed.http.get(f"{path}/statement", params={"at_least": position, "wait": 0})
    assert (refused.status_code, refused.json()["rule"]) == (503, "read-model-behind")
    assert opened(followed, "account_balance").status_code == 201
    assert followed.state(STATEMENT) == "paused"


@pytest.mark.usefixtures("paused")
def test_once_it_is_resumed_it_catches_up(followed: Followed) -> None:
    assert said(followed, "resume").startswith(f"{STATEMENT} goes on; it was paused since 20")
    assert said(followed, "resume") == f"{STATEMENT} is not paused"
    assert answered(followed, "resume", STATEMENT, "--why", WHY)["changed"] is False
    poll_until(lambda: opened(followed, STATEMENT).status_code == 201, seconds=30, what="it to be waited for again")
    assert said(followed, "pause") == f"{STATEMENT} is paused"
    await_given_back(followed)


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_an_unknown_name_and_a_missing_reason_are_wrong_usage(followed: Followed, verb: str) -> None:
    names = ", ".join(projection.name for projection in PROJECTIONS)
    unknown = ran(followed, verb, "statement", "--why", WHY).exception
    assert str(unknown) == f"there is no projection 'statement'; there are: {names}"
    without = ran(followed, verb, STATEMENT).exception
    assert [getattr(each, "exit_code", None) for each in (unknown, without)] == [2, 2]
