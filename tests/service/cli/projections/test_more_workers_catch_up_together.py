"""A projection far behind: ready and `foldstream lag` tell it, a second worker takes its share, all rows are right."""

import json
import signal
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from service.cli.operator_act import Act
from service.cli.projections.audit import Plan, run_audit
from service.cli.projections.report import print_lag, print_list
from service.consumers import PROJECTIONS
from tests.service.cli.projections.conftest import Followed, printed
from tests.service.http.shop import done, new_account, new_order
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

WAIT = 30.0
SKUS, RECEIPTS = 4, 6


@pytest.fixture
def second(followed: Followed, capsys: pytest.CaptureFixture[str]) -> Iterator[list[Listened]]:
    """Where a second worker is put; the first has all again in the end."""
    workers: list[Listened] = []
    yield workers
    for worker in workers:
        worker.send(signal.SIGTERM)
        assert worker.wait(within=WAIT) == 0
    poll_until(lambda: is_alone(followed, capsys), seconds=WAIT, what="the first worker to have all again")


def answered(followed: Followed, print_answer: Any, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What a verb says of all projections."""
    out = printed(partial(print_answer, followed.settings, PROJECTIONS, as_json=True), capsys)
    return list(json.loads(out)["projections"])


def holders(followed: Followed, capsys: pytest.CaptureFixture[str]) -> set[str | None]:
    """The names of all who have a lease; None among them where somebody is missing."""
    found = [lease for each in answered(followed, print_list, capsys) for lease in each["generations"][0]["leases"]]
    return {None if lease is None else lease["worker"] for lease in found}


def test_what_one_worker_had_left_two_catch_up_with(
    followed: Followed, second: list[Listened], capsys: pytest.CaptureFixture[str]
) -> None:
    skus = [f"lamp-{uuid4().hex[:8]}" for _ in range(SKUS)]
    followed.pause()
    try:
        for sku in skus:
            for quantity in range(1, RECEIPTS + 1):
                done(followed.http.post(f"/stock/{sku}/receipts", json={"quantity": quantity}))
        account, order = new_account(followed.http, "100.00"), new_order(followed.http)
        poll_until(lambda: followed.report()["status"] == "degraded", seconds=WAIT, what="the alarm")
        behind = {each["projection"]: (each["events"], each["state"]) for each in answered(followed, print_lag, capsys)}
        second.append(Listened((*FOLDSTREAM, "projections"), followed.environment))
    finally:
        followed.resume()
    assert behind["stock_levels"] == (SKUS * (RECEIPTS + 1), "behind")
    poll_until(lambda: is_shared(followed, capsys), seconds=WAIT, what="two who have leases")
    for sku in skus:
        done(followed.http.post(f"/stock/{sku}/receipts", json={"quantity": 100}))
    done(followed.http.post(f"/accounts/{account}/deposits", json={"amount": "1.00"}))
    poll_until(lambda: followed.report()["status"] == "ok", seconds=WAIT, what="all to be well again")
    poll_until(lambda: events_left(followed, capsys) == 0, seconds=WAIT, what="the end of the log")
    on_hand = [followed.http.get(f"/stock/{sku}").json()["on_hand"] for sku in skus]
    assert on_hand == [100 + RECEIPTS * (RECEIPTS + 1) // 2] * SKUS
    assert followed.http.get(f"/accounts/{account}").json()["balance"] == "101.00"
    assert followed.http.get(f"/orders/{order}").json()["status"] == "pending"
    with capture_logs():
        assert {run_audit(followed.settings, each, Plan(None), Act(None)) for each in PROJECTIONS} == {0}


def is_alone(followed: Followed, capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether the first worker reports on all partitions."""
    found = answered(followed, print_list, capsys)
    workers = {worker.rpartition(":")[2] for each in found for worker in each["generations"][0]["workers"]}
    return workers == {str(followed.worker.pid)} and {each["state"] for each in found} == {"ok"}


def is_shared(followed: Followed, capsys: pytest.CaptureFixture[str]) -> bool:
    found = holders(followed, capsys)
    return len(found) == 2 and None not in found


def events_left(followed: Followed, capsys: pytest.CaptureFixture[str]) -> int:
    return sum(each["events"] for each in answered(followed, print_lag, capsys))
