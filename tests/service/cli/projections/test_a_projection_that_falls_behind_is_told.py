"""A projection that falls behind: readiness, metrics and the command line tell it, and that it has caught up again."""

import json
import time
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from infrastructure.readmodels.trend import SECONDS_APART
from service.cli.projections.report import print_lag
from service.consumers import PROJECTIONS
from tests.service.cli.projections.conftest import Followed, printed
from tests.service.http.shop import done
from tests.support.polling import poll_until

LAGS = "foldstream_projection_lag_"
EVENTS = f'{LAGS}events{{projection="stock_levels"}}'
[STOCK] = [projection for projection in PROJECTIONS if projection.name == "stock_levels"]


def receive(followed: Followed, times: int) -> None:
    """So many receipts of a new SKU: that, and each of them, is an event."""
    sku = f"lamp-{uuid4().hex[:8]}"
    for _ in range(times):
        done(followed.http.post(f"/stock/{sku}/receipts", json={"quantity": 1}))


def shown(followed: Followed, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `foldstream lag --json` says of it."""
    out = printed(partial(print_lag, followed.settings, [STOCK], as_json=True), capsys)
    [answer] = json.loads(out)["projections"]
    return dict(answer)


def test_it_is_behind_past_its_own_number_of_events_and_ok_when_it_has_caught_up(
    followed: Followed, capsys: pytest.CaptureFixture[str]
) -> None:
    poll_until(lambda: followed.metrics(LAGS)[EVENTS] == 0.0, seconds=30, what="all to be folded")
    assert (followed.report()["status"], shown(followed, capsys)["state"]) == ("ok", "ok")
    followed.pause()
    try:
        receive(followed, times=3)
        poll_until(lambda: followed.metrics(LAGS)[EVENTS] == 4.0, seconds=30, what="four events")
        assert followed.report()["status"] == "ok"
        receive(followed, times=2)
        followed.becomes("stock_levels", "behind")
        report, figures = followed.report(), followed.metrics(LAGS)
        begun = time.monotonic()
        told = shown(followed, capsys)
        assert time.monotonic() - begun >= SECONDS_APART
    finally:
        followed.resume()
    assert report["status"] == "degraded"
    assert [name for name, check in report["checks"].items() if not check["ok"]] == ["stock_levels"]
    assert report["checks"]["stock_levels"]["detail"].startswith("is behind: 7 events are not folded yet, the oldest ")
    assert (told["events"], told["exact"], told["live"]) == (7, True, True)
    assert told["seconds"] > 0
    assert figures[EVENTS] == 7.0
    assert figures[f'{LAGS}estimated{{projection="stock_levels"}}'] == 0.0
    assert 0 < figures[f'{LAGS}seconds{{projection="stock_levels"}}'] < 10
    assert figures[f'{LAGS}events{{projection="order_summary"}}'] == 0.0
    poll_until(lambda: followed.report()["status"] == "ok", seconds=30, what="all to be well again")
    poll_until(lambda: followed.metrics(LAGS)[EVENTS] == 0.0, seconds=30, what="all to be folded")


def test_it_is_stuck_past_its_own_seconds_while_its_checkpoint_does_not_move(followed: Followed) -> None:
    followed.becomes("account_balance", "ok")
    followed.pause()
    try:
        done(followed.http.post("/accounts", json={"owner_id": "ada", "currency": "EUR"}))
        followed.becomes("account_balance", "stuck")
        assert followed.state("account_statement") == "ok"
    finally:
        followed.resume()
    followed.becomes("account_balance", "ok")
