"""Work that may take long says how far it is, on the errors alone: on a terminal at once, elsewhere now and then."""

import json
import os
import pty
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from infrastructure.eventstore.record import NewRecord
from service.cli.progress import ProgressLine
from service.history.sources import CODEC
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import deposited, metadata, opened
from tests.support.clock import Clock
from tests.support.eventstore import EventStoreProcess
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.terminal import read_until

OWN_ID: Final = str(uuid4())
ACCOUNT: Final = f"account-{OWN_ID}"
# Each verb with what it shows first, before it takes it away again.
SHOWN: Final = {
    ("export", ACCOUNT, "--out", "again.jsonl"): f"{ACCOUNT}: 0 of 3 events",
    ("replay", "export.jsonl", "--json"): f"{ACCOUNT}: 0 events",
    ("schema", "check", "--json"): "log: 0 events",
    ("tenants", "--json"): "log: 0 events",
    ("streams", "--json"): "streams: 0 events looked at",
    ("snapshots", "retake", ACCOUNT, "--yes", "--json"): "snapshots: 0 of 1 streams",
    ("sagas", "check", "--json"): "sagas: fulfilment: 1 instances read, 0 of them open",
}
CODES: Final = {"schema": 3, "sagas": 3}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A store with an account and an instance of a saga; and a folder with the account's export."""
    folder = tmp_path_factory.mktemp("shop")
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        story = (opened(OWN_ID), *[deposited(OWN_ID, "1.00")] * 2)
        operator.append(ACCOUNT, *(CODEC.encode(event, metadata(event, correlation=uuid4())) for event in story))
        operator.append(f"fulfilment-{uuid4()}", NewRecord("FulfilmentMelted", b"{}", b"{}"))
        done = Listened((*FOLDSTREAM, "export", ACCOUNT), {"FOLDSTREAM_EVENTSTORE_URI": process.uri})
        assert done.wait(within=60) == 0
        (folder / "export.jsonl").write_text("\n".join(done.output), encoding="utf-8")
        yield process.uri, folder


def test_a_line_comes_every_ten_seconds_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with ProgressLine("log", clock=clock) as progress:
        for number in progress.counted(range(30), "events", 1_000):
            clock.now += 1
            if number == 25:
                progress.show("not due")
    assert capsys.readouterr() == ("", "log: 10 of 1,000 events\nlog: 20 of 1,000 events\n")


@pytest.mark.parametrize("words", SHOWN)
def test_on_a_terminal_it_is_shown_and_taken_away_and_the_output_is_whole(
    shop: tuple[str, Path], words: tuple[str, ...]
) -> None:
    uri, folder = shop
    terminal, own_end = pty.openpty()
    command = f"cd {folder}; exec {shlex.join([*FOLDSTREAM, '--log', 'json', *words])} 2>{os.ttyname(own_end)}"
    process = Listened(("sh", "-c", command), {"FOLDSTREAM_EVENTSTORE_URI": uri, "PYTHONPATH": str(Path.cwd())})
    shown = read_until(terminal, b"\x1b[K\r\x1b[K")
    code = process.wait(within=60)
    os.close(terminal)
    os.close(own_end)
    assert f"\r{SHOWN[words]}\x1b[K".encode() in shown
    assert code == CODES.get(words[0], 0)
    if "--json" in words:
        json.loads("\n".join(process.output))
