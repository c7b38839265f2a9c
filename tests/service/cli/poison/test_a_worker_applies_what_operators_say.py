"""An event that nobody can read, in a service that runs: what it blocks, and what operators do about it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from domain.message import Event
from domain.stock.stock import StockReceived, stock_id
from domain.stream_name import stream_name
from infrastructure.eventstore.record import NewRecord
from service.cli.poison.commands import app
from service.cli.projections.report import print_lag, print_list, print_one
from service.consumers import PROJECTIONS
from service.history.sources import CODEC
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.history.ledger import metadata
from tests.service.cli.projections.conftest import Followed, following, printed
from tests.service.http.shop import done, new_name, new_stock, read
from tests.support.forked import SETTINGS
from tests.support.positions import number_of

STOCK: Final = PROJECTIONS[2]
NAME: Final = STOCK.name
OF_STOCK: Final = [projection.name for projection in PROJECTIONS if projection.category == STOCK.category]
WAIT: Final = ("--wait", "60")


@dataclass(frozen=True)
class Shop:
    """A service with one SKU whose stream holds an event of an unknown type at version 2, and a receipt behind it."""

    followed: Followed
    operator: Operator
    sku: str

    @property
    def stream(self) -> str:
        return stream_name("stock", stock_id(self.sku))

    def ran(self, *arguments: str, code: int = 0) -> Any:
        """What the verb answers in JSON."""
        environment = {**dict.fromkeys(SETTINGS), **self.followed.environment}
        with capture_logs():
            result = CliRunner().invoke(app, [*arguments, "--json"], env=environment, standalone_mode=False)
        assert (result.return_value, result.exception) == (code, None)
        return json.loads(result.stdout[result.stdout.index("{\n") :])  # the API may log in this process before it

    def on_hand(self) -> int:
        return int(done(self.followed.http.get(f"/stock/{self.sku}"))["on_hand"])


@pytest.fixture(scope="module")
def shop(eventstore_uri: str, redis_uri: str) -> Iterator[Shop]:
    with following(eventstore_uri, redis_uri) as followed, operating(eventstore_uri) as operator:
        made = Shop(followed, operator, new_stock(followed.http, 5))
        receipt: Event = StockReceived(sku=made.sku, quantity=7)
        operator.append(made.stream, NewRecord("StockMelted", b'{"degrees": 900}', b"{}"))
        operator.append(made.stream, CODEC.encode(receipt, metadata(receipt, correlation=uuid4())))
        other = new_name("lamp")
        received = followed.http.post(f"/stock/{other}/receipts", json={"quantity": 1})
        assert read(followed.http, f"/stock/{other}", received)["on_hand"] == 1
        yield made


def test_it_is_seen_wherever_one_looks(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    for name in OF_STOCK:
        shop.followed.becomes(name, "blocked")
    report = shop.followed.report()
    assert report["status"] == "degraded"
    assert [name for name, check in report["checks"].items() if not check["ok"]] == OF_STOCK
    assert report["checks"][NAME]["detail"].startswith(f"{shop.stream} waits at version 2: ")
    settings = shop.followed.settings
    for run in (partial(print_lag, settings, [STOCK]), partial(print_list, settings, [STOCK])):
        [told] = json.loads(printed(partial(run, as_json=True), capsys))["projections"]
        assert told["state"] == "blocked"
        shown = told["generations"][0] if "generations" in told else told
        assert (shown["blocked"], shown["waiting"]) == (1, 1)
    told = json.loads(printed(partial(print_one, settings, STOCK, as_json=True), capsys))
    [partition] = told["generations"][0]["partitions"]
    assert (partition["blocked"], partition["waiting"]) == (1, 1)
    metrics = shop.followed.metrics("foldstream_projection_")
    assert metrics[f'foldstream_projection_blocked_streams{{projection="{NAME}"}}'] == 1.0
    assert metrics[f'foldstream_projection_waiting_events{{projection="{NAME}"}}'] == 1.0
    assert metrics[f'foldstream_projection_lag_events{{projection="{NAME}"}}'] == 0.0
    checks = shop.followed.metrics("foldstream_check_state")
    assert checks[f'foldstream_check_state{{check="{NAME}",state="blocked"}}'] == 1.0


def test_it_is_listed_and_shown(shop: Shop) -> None:
    [listed] = shop.ran("list", NAME)["blocked"]
    assert (listed["stream"], listed["version"], listed["waiting"]) == (shop.stream, 2, 1)
    assert (listed["error"], listed["event_type"]) == ("UnknownEventType", "StockMelted")
    shown = shop.ran("show", NAME, f"stock:{shop.sku}")
    assert json.loads(shown["data"]) == {"degrees": 900}
    assert shop.on_hand() == 5


def test_a_retry_is_made_and_a_skip_releases_what_waits_until_it_is_taken_back(shop: Shop) -> None:
    [tried] = shop.ran("retry", NAME, shop.stream, *WAIT, code=3)["streams"]
    assert (tried["outcome"], tried["block"]["version"]) == ("blocked", 2)
    assert shop.on_hand() == 5
    skipped = shop.ran("skip", NAME, shop.stream, "--version", "2", "--why", "a test", "--yes", *WAIT)
    assert (skipped["outcome"], skipped["block"], skipped["skip"]["why"]) == ("released", None, "a test")
    assert shop.on_hand() == 12
    assert shop.ran("list", NAME) == {"blocked": [], "unreadable": []}
    shop.followed.becomes(NAME, "ok")
    unskip = ("unskip", NAME, shop.stream, "--version", "2", "--why", "it was none", *WAIT)
    back = shop.ran(*unskip, code=3)
    assert (back["outcome"], back["block"]["version"], back["block"]["waiting"]) == ("blocked", 2, 1)
    read = shop.followed.http.get(f"/stock/{shop.sku}")
    assert (read.json()["on_hand"], number_of(read.headers["Foldstream-Position"])) == (
        5,
        back["block"]["position"] - 1,
    )
    assert shop.ran(*unskip)["changed"] is False
