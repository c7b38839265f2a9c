"""The commands and requests of README.md that look back work as they stand there."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from domain.message import Event
from domain.ordering.events import Line, OrderCreated
from domain.stock.stock import SkuRegistered, StockReceived, stock_id
from infrastructure.eventstore.record import NewRecord
from infrastructure.history.moment import written
from service.history.sources import CODEC
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.history.ledger import append, balance, deposited, euros, metadata, opened
from tests.service.http.api_server import away, serving
from tests.support.callers import AUTHORIZED
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM

README: Final = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
REQUESTS: Final = re.findall(r"^\$ (curl -s .*localhost:8000/history/.+)$", README, re.MULTILINE)
# So that the tests need no program that Foldstream does not need: the only options of the examples are -s and -H.
FETCH: Final = (
    "import sys, urllib.request as request;"
    ' asked = request.Request(sys.argv[2], headers=dict([sys.argv[1].split(": ", 1)]));'
    " print(request.urlopen(asked).read().decode())"
)
CURL: Final = f"""curl() {{ {sys.executable} -c '{FETCH}' "$3" "http://$4"; }}"""
COMMANDS: Final = re.findall(r"^\$ \.venv/bin/foldstream (.+)$", README, re.MULTILINE)
ACCOUNT: Final = "6f0f1f0e-6f0a-4d0e-9d55-0c3f6f8f7a11"
ORDER: Final = "0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A store with the account, the stock and the order of README.md."""
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        write_history(operator)
        yield process.uri


def write_history(operator: Operator) -> None:
    line = Line(line=1, sku="mug-blue", quantity=4, unit_price=euros("8.90"))
    order = OrderCreated(order_id=ORDER, customer_id="cafe-harbour", account_id=ACCOUNT, currency="EUR", lines=(line,))
    stock: tuple[Event, ...] = (SkuRegistered(sku="mug-blue"), StockReceived(sku="mug-blue", quantity=10))
    append(operator, f"stock-{stock_id('mug-blue')}", [stored(event) for event in stock])
    append(operator, f"order-{ORDER}", [stored(order)])
    paid = append(operator, f"account-{ACCOUNT}", [stored(opened(ACCOUNT)), stored(deposited(ACCOUNT, "100.00"))])
    last = written(paid[-1]).timestamp()
    poll_until(lambda: int(datetime.now(UTC).timestamp()) > last, seconds=3, what="the next second, for `date`")


def stored(event: Event) -> NewRecord:
    return CODEC.encode(event, metadata(event, correlation=uuid4()))


def run(arguments: str, store: str, folder: Path) -> list[str]:
    """The output of one command of README.md."""
    environment = {"FOLDSTREAM_EVENTSTORE_URI": store, "PATH": "/usr/bin:/bin"}
    return shell(f"{shlex.join(FOLDSTREAM)} {arguments}", environment, folder).splitlines()


def shell(command: str, environment: dict[str, str], folder: Path) -> str:
    """The output of one line, run by a shell."""
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_every_command_prints_what_the_readme_says(store: str, tmp_path: Path) -> None:
    as_of, in_the_third_quarter, since_today, stock, export, steps = (run(line, store, tmp_path) for line in COMMANDS)
    assert ["balance.amount", "100.00"] in [line.split() for line in as_of]
    assert in_the_third_quarter == [f"account-{ACCOUNT}", "0 changes"]
    assert (since_today[0], since_today[-1]) == (f"account-{ACCOUNT}", "2 changes")
    assert [line.split()[2] for line in stock[2:]] == ["SkuRegistered", "StockReceived"]
    assert export == []
    assert steps[-1].startswith('  after  {"is": "Order", ')


def test_every_request_is_answered_as_the_readme_says(store: str, tmp_path: Path) -> None:
    with serving(away(eventstore_uri=store)) as http:
        address = f"{http.base_url.host}:{http.base_url.port}"
        lines = [f"{CURL}; {line.replace('localhost:8000', address)}" for line in REQUESTS]
        environment = {"PATH": "/usr/bin:/bin", "auth": f"Authorization: {AUTHORIZED['Authorization']}"}
        as_of, changes = (json.loads(shell(line, environment, tmp_path)) for line in lines)
    assert (as_of["version"], as_of["state"]) == (1, balance("100.00"))
    assert [change["type"] for change in changes["changes"]] == ["SkuRegistered", "StockReceived"]
