"""What the help of each verb shows as an example can be typed as it stands, beside a service with a small shop."""

import shlex
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from domain.stock.stock import SkuRegistered, StockReceived, stock_id
from infrastructure.eventstore.record import NewRecord
from service.cli.main import app
from service.history.sources import CODEC
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import metadata
from tests.service.cli.parked.till import Till
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import verbs
from tests.service.client import Client
from tests.support.callers import KEY
from tests.support.forked import SETTINGS
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.service import FoldstreamProcess
from tests.support.span_lines import span_line

ORDER: Final = "0b6c1c1e-4f0e-4c86-9d5e-0d8f6f0f3a10"
CORRELATION: Final = "1f7f2a3e-6a56-4f3c-9d55-0c3f6f8f7a11"
# What the examples of servers name that is another's here, and by what of this test's it is replaced.
STOOD_FOR: Final = {"8000": "0", "2113": "0", "0.0.0.0": "127.0.0.1", "data/redis": "redis", "data/eventstore": "store"}
STAY_UP: Final = ("api", "redis", "eventstore", "projections", "sagas", "lag")
ELSEWHERE: Final = {"serve", "demo"}  # the shop itself is `serve`, as the fixture says; the demo has a test of its own
# The others end with 0. The saga of the order has ended, so it takes no word; the poisoned stream waits for a skip; no
# process has the port that `health` asks.
NOT_DONE: Final = {
    "sagas retry": "WordNotTaken",
    "sagas skip": "WordNotTaken",
    "sagas compensate": "WordNotTaken",
    "sagas cancel": "WordNotTaken",
    "health": "NotAnswered",
    "doctor": 3,
    "poison retry": 3,
    "poison unskip": 3,
    "schema check": 3,
}


@dataclass(frozen=True)
class Shop:
    """A service in the folder `data` of a folder, and the settings of whoever works on it."""

    folder: Path
    service: FoldstreamProcess
    settings: Mapping[str, str]


def examples() -> list[tuple[str, Sequence[str]]]:
    """Each verb with the words of each of its examples, in the order of the helps."""
    return [
        (words, shlex.split(line)[1:])
        for words, command in verbs().items()
        for line in str(command.epilog).splitlines()
        if line.startswith("  foldstream ")
    ]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "repair.jsonl").write_text('{"type": "StockReceived", "data": {"sku": "mug-blue", "quantity": 3}}')
    (folder / "traces.jsonl").write_text(span_line("POST /orders", 1) + "\n", encoding="utf-8")
    with FoldstreamProcess(folder / "data") as service, Client(service.url) as client:
        with operating(service.uri_of("eventstore")) as operator:
            operator.append(f"stock-{stock_id('mug-blue')}", *received("mug-blue", 1))
            operator.append(f"stock-{stock_id('mug-red')}", *received("mug-red", 3), NewRecord("StockMelted", b"{}"))
            sell(client)
            till = Till(service.uri_of("eventstore"), operator)
            till.group("billing", None, from_end=True)
            till.paid(12)
            till.park("billing", None, 12)
            with till.consumer("billing", None):
                yield Shop(folder, service, {"FOLDSTREAM_DEVELOPMENT_KEY": str(KEY)})
        assert service.stop() == 0


def received(sku: str, times: int) -> list[NewRecord]:
    """The events of an article that was received so often."""
    story = [SkuRegistered(sku=sku), *[StockReceived(sku=sku, quantity=1)] * times]
    return [CODEC.encode(event, metadata(event, correlation=UUID(CORRELATION))) for event in story]


def sell(client: Client) -> None:
    account = client.account("100.00")
    client.receive("mug-green", 5)
    items = [{"sku": "mug-green", "quantity": 1, "unit_price": "8.90"}]
    body = {"id": ORDER, "customer_id": "ada", "account_id": account, "currency": "EUR", "items": items}
    client.done("/orders", body)
    client.confirm(ORDER)
    assert client.ended(ORDER)["status"] == "shipped"


def ended(shop: Shop, words: Sequence[str]) -> tuple[object, str]:
    """The exit code, or why there is none but 1, of a command in this process; and all that it printed."""
    environment: dict[str, str | None] = {**dict.fromkeys(SETTINGS), **shop.settings}
    with chdir(shop.folder):
        said = CliRunner().invoke(app, words, env=environment, input="a-password\n", standalone_mode=False)
    code = said.return_value if said.exception is None else type(said.exception).__name__
    return code, said.output + str(said.exception or "")


def test_each_ends_as_it_should(shop: Shop) -> None:
    asked = [(verb, words) for verb, words in examples() if verb not in {*STAY_UP, *ELSEWHERE}]
    found = [(verb, " ".join(words), *ended(shop, words)) for verb, words in asked]
    wrong = [each for each in found if each[2] != NOT_DONE.get(each[0], 0)]
    assert wrong == []
    assert {verb for verb, *_ in found} == verbs().keys() - {*STAY_UP, *ELSEWHERE}


def test_those_that_stay_up_end_at_a_signal(shop: Shop) -> None:
    running = {verb: started(shop, words) for verb, words in examples() if verb in STAY_UP}
    assert running.keys() == set(STAY_UP)
    for verb, process in running.items():
        poll_until(partial(words_of, process), seconds=60, what=f"a word of {verb}")
        process.send(signal.SIGTERM)
    codes = {verb: process.wait(within=60) for verb, process in running.items()}
    assert codes == {verb: 130 if verb == "lag" else 0 for verb in STAY_UP}


def words_of(process: Listened) -> list[str]:
    return process.output + process.errors


def started(shop: Shop, words: Sequence[str]) -> Listened:
    """The example with what is free here in place of ports and folders, and the shop's servers of those it names."""
    filled = [STOOD_FOR.get(word, word) for word in words]
    for option, name in (("--eventstore", "eventstore"), ("--redis", "redis")):
        if option in filled:
            filled[filled.index(option) + 1] = shop.service.uri_of(name)
    named = {
        "FOLDSTREAM_EVENTSTORE_URI": shop.service.uri_of("eventstore"),
        "FOLDSTREAM_REDIS_URI": shop.service.uri_of("redis"),
        "FOLDSTREAM_NAMESPACE": f"examples-{uuid4().hex[:8]}",
    }
    with chdir(shop.folder):
        return Listened((*FOLDSTREAM, *filled), {**shop.settings, **named})


@pytest.mark.soak
@pytest.mark.timeout(360)
def test_the_demo_checks_itself() -> None:
    process = Listened((*FOLDSTREAM, "demo"), {})
    assert process.wait(within=300) == 0
