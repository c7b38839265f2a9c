"""Everybody learns whether it serves; what is wrong with it, those whose token says that they look after it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.service.http.api_server import away, serving
from tests.support.access import bearer
from tests.support.callers import header_of


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with serving(away()) as client:
        client.headers.pop("Authorization")
        yield client


def checks(http: httpx.Client, header: dict[str, str]) -> dict[str, dict[str, Any]]:
    answer = http.get("/health/ready", headers=header)
    assert (answer.status_code, answer.json()["status"]) == (503, "unable")
    return dict(answer.json()["checks"])


@pytest.mark.parametrize("role", ["monitor", "operator", "administrator"])
def test_who_watches_is_told_what_is_wrong(http: httpx.Client, role: str) -> None:
    told = checks(http, header_of("tester", role))["eventstore"]
    assert {name: told[name] for name in ("ok", "state")} == {"ok": False, "state": "away"}
    assert told["detail"]


NOT_TOLD = {
    "without a token": {},
    "with no good one": bearer("nonsense"),
    "with one that has expired": header_of("tester", "operator", seconds=-600),
    "a customer": header_of("ada", "customer"),
    "an auditor": header_of("ann", "auditor"),
    "an operator of another tenant": header_of("tester", "operator", tenant="acme"),
}


@pytest.mark.parametrize("header", NOT_TOLD.values(), ids=NOT_TOLD)
def test_others_are_told_that_something_is(http: httpx.Client, header: dict[str, str]) -> None:
    told = checks(http, header)
    assert told["eventstore"] == {"ok": False, "state": "away", "detail": None}
    assert {check["detail"] for check in told.values()} <= {None, "has no worker"}
    assert {name: check["state"] for name, check in told.items()} == {
        name: check["state"] for name, check in checks(http, header_of("tester", "monitor")).items()
    }
