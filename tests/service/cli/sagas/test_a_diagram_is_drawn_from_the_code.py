"""`foldstream sagas graph` draws what the table of steps says, and the documents show what it draws."""

import json
import re
from pathlib import Path
from typing import Final

import pytest
import typer

from service.cli.sagas.commands import app
from service.consumers import SAGAS
from tests.service.cli.snapshots.command import ran

DOCUMENT: Final = Path(__file__).parents[4] / "docs" / "sagas.md"
NOWHERE: Final = "esdb://127.0.0.1:1?tls=false"


def test_the_document_shows_the_diagrams_that_are_drawn() -> None:
    drawn = [ran(NOWHERE, app, "graph", saga.category) for saga in SAGAS]
    shown = re.findall(r"```mermaid\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert [(each.return_value, each.stdout) for each in drawn] == [(0, text) for text in shown]


def test_the_document_shows_the_tables_that_are_written() -> None:
    written = [ran(NOWHERE, app, "graph", saga.category, "--table") for saga in SAGAS]
    shown = re.findall(r"(?:^\| .*\n)+", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert [(each.return_value, each.stdout) for each in written] == [(0, text) for text in shown]


@pytest.mark.parametrize(("options", "form"), [((), "mermaid"), (("--table",), "markdown")])
def test_as_json_it_is_one_text(options: tuple[str, ...], form: str) -> None:
    lines = ran(NOWHERE, app, "graph", "fulfilment", *options).stdout.splitlines()
    answer = json.loads(ran(NOWHERE, app, "graph", "fulfilment", *options, "--json").stdout)
    assert answer == {"type": "fulfilment", "version": 2, form: "\n".join(lines)}


def test_a_saga_that_there_is_not_is_wrong_usage() -> None:
    refused = ran(NOWHERE, app, "graph", "shipping").exception
    assert isinstance(refused, typer.BadParameter)
    assert str(refused) == "there is no saga 'shipping'; there is fulfilment, booking"
