"""Instances that failed, are paused, are stuck or have an overdue deadline: in lists, with timelines, in figures."""

import re
from typing import Any, Final

import httpx
import pytest

from tests.service.sagas.standing import ATTEMPTS, DONE, EVIL, FAILED, LATE, PAUSED, RUNNING, UNDONE
from tests.support.polling import poll_until

LATEST_FIRST: Final = [UNDONE, DONE, LATE, PAUSED, FAILED, RUNNING]


def ids(http: httpx.Client, **filters: Any) -> list[str]:
    return [each["id"] for each in http.get("/sagas", params=filters).json()["sagas"]]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, LATEST_FIRST),
        ({"status": "running"}, [LATE, RUNNING]),
        ({"status": "failed"}, [FAILED]),
        ({"status": "paused"}, [PAUSED]),
        ({"status": "completed"}, [DONE]),
        ({"status": "compensated", "type": "fulfilment"}, [UNDONE]),
        ({"step": "reserve"}, [LATE, PAUSED, FAILED, RUNNING]),
        ({"step": "reserve:lamp", "status": "paused"}, [PAUSED]),
        ({"step": "charge"}, []),
        ({"older_than": 3600}, []),
    ],
)
def test_it_is_found_by_status_step_and_age(http: httpx.Client, filters: dict[str, Any], found: list[str]) -> None:
    assert ids(http, **filters) == found


def test_pages_of_one_make_the_whole_list(http: httpx.Client) -> None:
    page = http.get("/sagas", params={"limit": 1}).json()
    found = [page]
    while page["next"] is not None:
        page = http.get("/sagas", params={"limit": 1, "cursor": page["next"]}).json()
        found.append(page)
    assert [[each["id"] for each in page["sagas"]] for page in found] == [[each] for each in LATEST_FIRST]


def test_one_that_stands_still_says_why_and_who_said_so(http: httpx.Client) -> None:
    failed, paused = (http.get(f"/sagas/fulfilment/{each}").json() for each in (FAILED, PAUSED))
    strike = "the carrier is on strike"
    assert (failed["status"], failed["step"], failed["reason"]) == ("failed", "reserve:lamp", EVIL)
    assert (paused["status"], paused["step"], paused["reason"]) == ("paused", "reserve:lamp", strike)
    [*_, last] = paused["timeline"]
    assert (last["kind"], last["by"], last["detail"]) == ("operator", "cli:ada", f"SagaPaused why={strike}")


def test_a_deadline_is_shown_until_it_leads_to_something(http: httpx.Client) -> None:
    late = http.get(f"/sagas/fulfilment/{LATE}").json()
    [*_, last] = late["timeline"]
    assert (last["at"], last["kind"], last["step"]) == (late["updated_at"], "deadline", "word")
    assert last["detail"].startswith("SagaDeadlineSet name=word, due=")
    assert late["deadline"] < late["started_at"]


def test_of_a_long_stream_the_timeline_tells_the_newest_part(http: httpx.Client) -> None:
    told = http.get(f"/sagas/fulfilment/{DONE}").json()
    assert (told["version"], told["first_version"]) == (ATTEMPTS + 1, 2)
    details = [each["detail"].partition(" ")[0] for each in told["timeline"]]
    assert details == ["SagaMessageAttempted"] * (ATTEMPTS - 1) + ["FulfilmentCompleted"]


def figures(http: httpx.Client) -> dict[str, float]:
    """Those of instances."""
    names, status = "instances|stuck_instances|overdue_deadlines", r'(?:,status="(\w+)")?'
    pattern = rf'^foldstream_saga_({names})\{{saga="fulfilment"{status}\}} (.+)$'
    found = re.findall(pattern, http.get("/metrics").text, re.MULTILINE)
    return {status or name: float(value) for name, status, value in found}


def test_figures_count_them_by_status_and_those_to_be_looked_at(http: httpx.Client) -> None:
    expected = {"running": 2, "completed": 1, "compensated": 1, "failed": 1, "paused": 1}
    watched = {"stuck_instances": 1, "overdue_deadlines": 1}  # who waits for a deadline is not stuck
    poll_until(lambda: figures(http) == {**expected, **watched}, seconds=10, what="the figures")
