"""`foldstream sagas list` and `show` print what the read model and the log tell, and say in one line why not."""

import json
from typing import Any

import httpx
import pytest
import typer
from typer.testing import Result

from infrastructure.terminal import printable
from service.cli.sagas.commands import app
from service.errors import NoInstance, StatusUnreadable
from tests.service.cli.snapshots.command import RUNNER
from tests.service.sagas.standing import DONE, EVIL, FAILED, LATE, PAUSED, RUNNING, UNDONE, Standing
from tests.support.forked import SETTINGS


def ran(sagas: Standing, *arguments: str, **variables: str) -> Result:
    environment = {
        **dict.fromkeys(SETTINGS),
        "FOLDSTREAM_EVENTSTORE_URI": sagas.settings.eventstore,
        "FOLDSTREAM_REDIS_URI": sagas.settings.redis,
        "FOLDSTREAM_NAMESPACE": sagas.settings.namespace,
        **variables,
    }
    return RUNNER.invoke(app, arguments, env=environment, standalone_mode=False)


def answer(sagas: Standing, *arguments: str) -> Any:
    result = ran(sagas, *arguments, "--json")
    assert (result.return_value, result.exception) == (0, None)
    return json.loads(result.stdout)


def test_what_is_listed_over_http_is_listed_here(sagas: Standing, http: httpx.Client) -> None:
    assert answer(sagas, "list") == {"sagas": http.get("/sagas").json()["sagas"], "more": False}
    some = answer(sagas, "list", "--type", "fulfilment", "--status", "running", "--limit", "1")
    assert ([each["id"] for each in some["sagas"]], some["more"]) == ([LATE], True)
    assert answer(sagas, "list", "--older-than", "2h") == {"sagas": [], "more": False}
    at_step = answer(sagas, "list", "--step", "reserve", "--older-than", "0")["sagas"]
    assert [each["id"] for each in at_step] == [LATE, PAUSED, FAILED, RUNNING]


def test_a_table_has_a_row_for_each_and_shows_what_is_not_printable_escaped(
    sagas: Standing, http: httpx.Client
) -> None:
    head, *rows = ran(sagas, "list", "--limit", "5").stdout.splitlines()
    assert head.split() == ["type", "id", "status", "step", "version", "started", "changed", "deadline", "reason"]
    assert [row.split()[:4] for row in rows[:-1]] == [
        ["fulfilment", UNDONE, "compensated", "-"],
        ["fulfilment", DONE, "completed", "-"],
        ["fulfilment", LATE, "running", "reserve:lamp"],
        ["fulfilment", PAUSED, "paused", "reserve:lamp"],
        ["fulfilment", FAILED, "failed", "reserve:lamp"],
    ]
    assert rows[4].endswith(f"  {printable(EVIL)}")
    assert rows[5] == "There are more: --limit 5 shows the latest."


def test_one_is_shown_with_its_timeline(sagas: Standing, http: httpx.Client) -> None:
    assert answer(sagas, "show", "fulfilment", UNDONE) == http.get(f"/sagas/fulfilment/{UNDONE}").json()
    shown = ran(sagas, "show", "fulfilment", FAILED).stdout
    assert EVIL not in shown
    told = [line.split()[1:4] for line in shown.partition("\n\n")[2].splitlines()[1:]]
    assert told == [
        ["observed", "-", "FulfilmentStarted"],
        ["asked", "reserve:lamp", "ReserveStock"],
        ["observed", "-", "SagaStopped"],
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--type", "shipping"), "there is no saga 'shipping'; there is fulfilment, booking"),
        (
            ("list", "--status", "stuck"),
            "there is no status 'stuck'; there is running, completed, compensated, failed, paused",
        ),
        (("list", "--older-than", "soon"), "'soon' should be a number of seconds, or such as 15m, 2h or 7d"),
        (("show", "shipping", RUNNING), "there is no saga 'shipping'; there is fulfilment, booking"),
        (("show", "fulfilment", "lamp"), "an aggregate's id ends in a lower-case hexadecimal digit, unlike 'lamp'"),
    ],
)
def test_what_there_is_not_is_wrong_usage(sagas: Standing, arguments: tuple[str, ...], said: str) -> None:
    refused = ran(sagas, *arguments).exception
    assert isinstance(refused, typer.BadParameter)
    assert str(refused) == said


def test_what_can_not_be_shown_is_said(sagas: Standing, http: httpx.Client) -> None:
    assert isinstance(ran(sagas, "show", "fulfilment", "0").exception, NoInstance)
    nothing_built = ran(sagas, "list", FOLDSTREAM_NAMESPACE="empty").exception
    assert isinstance(nothing_built, StatusUnreadable)
    assert str(nothing_built).startswith("how sagas fare can't be read: fulfilment_status: ")
