"""Types, streams, reasons and data that hold control sequences are shown escaped, by every verb that shows them."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from domain.engine_events import SagaStopped
from domain.message import Metadata
from infrastructure.eventstore.record import NewRecord
from infrastructure.readmodels.pauses import OPERATIONS_STREAM, PAUSED, Operation
from infrastructure.terminal import json_text, printable
from service.cli.main import app
from service.history.sources import CODEC
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import deposited, metadata, opened
from tests.support.commands import Command, Surroundings
from tests.support.eventstore import EventStoreProcess
from tests.support.forked import SETTINGS
from tests.support.processes import FOLDSTREAM
from tests.support.span_lines import TRACE, span_line

EVIL: Final = "\x1b]0;taken\x07\x1b[2J\x9b31m\u202ekcab\u2066\nforged\r\x7f"
ACCOUNT: Final = f"account-{uuid4()}"
STREAM: Final = f"order-{EVIL}"
CORRELATION: Final = uuid4()
INSTANCE: Final = str(uuid4())
# What each verb is run with; of a store, the others show nothing.
ARGUMENTS: Final = {
    "history": (STREAM,),
    "as-of": (ACCOUNT, "--version", "0"),
    "changes": (ACCOUNT,),
    "trace": (str(CORRELATION),),
    "export": (STREAM,),
    "replay": ("export.jsonl", "--step"),
    "access-log": (),
    "spans": ("spans.jsonl", TRACE),
    "streams": (),
    "read": (STREAM,),
    "append": (STREAM, "--file", EVIL.replace("\n", ""), "--expected", "none", "--why", EVIL, "--yes", "--unchecked"),
    "schema check": (),
    "snapshots list": (STREAM,),
    "snapshots drop": (STREAM, "--yes"),
    "snapshots retake": (STREAM,),
    "projections pause": ("order_summary", "--why", EVIL),
    "projections resume": ("stock_levels", "--why", EVIL),
    "sagas retry": ("fulfilment", INSTANCE, "--why", EVIL),
    "sagas migrate": ("fulfilment", INSTANCE, "--to", "1", "--why", EVIL),
    "sagas check": ("--samples", EVIL),
    "eventstore passwd": ("users", EVIL),
    "config": ("--redis", f"redis://{EVIL}"),
    "eventstore backup": (EVIL, EVIL),
    "token": ("--subject", EVIL),
    "token revoke": ("--subject", EVIL, "--why", EVIL),
}
PAUSED_BEFORE: Final = ("order_summary", "stock_levels")
SERVE: Final = {
    "serve", "api", "projections", "sagas", "redis", "demo", "eventstore", "schema list", "sagas graph", "tenants",
    "health",
}  # fmt: skip
# Those that show what is in Redis, which is another test's.
OF_REDIS: Final = {
    "audit", "doctor", "lag", "projections list", "projections show", "rebuild", "views", "views list", "views drop",
    "poison list", "poison show", "poison retry", "poison skip", "poison unskip", "sagas list", "sagas show",
}  # fmt: skip
# Those that show groups of consumers, whose tests have some with such names.
OF_GROUPS: Final = {
    "parked list", "parked show", "parked replay", "parked drop", "subscriptions list", "subscriptions show",
}  # fmt: skip

# Those that print as `sagas retry` does: tested in this process, beside what they do.
AS_RETRY: Final = {"sagas pause", "sagas resume", "sagas cancel", "sagas compensate", "sagas skip"}


@cache
def verbs() -> dict[str, TyperCommand | TyperGroup]:
    """Every verb that the parser knows, by its words."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    return dict(_verbs(root, ()))


def _verbs(group: TyperGroup, words: tuple[str, ...]) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            if len(command.params) > 1:
                yield " ".join((*words, name)), command
            yield from _verbs(command, (*words, name))
        elif isinstance(command, TyperCommand):
            yield " ".join((*words, name)), command


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A store whose names, types, actors and data take over terminals."""
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        own_id = ACCOUNT.removeprefix("account-")
        for event in (opened(own_id), deposited(own_id, "1.00")):
            said: Metadata = metadata(event, correlation=CORRELATION).model_copy(update={"actor": EVIL})
            operator.append(ACCOUNT, CODEC.encode(event, said))
        operator.append(OPERATIONS_STREAM, *map(paused, PAUSED_BEFORE))
        operator.append(STREAM, NewRecord(EVIL, json.dumps({EVIL: EVIL}, ensure_ascii=False).encode(), b"{}"))
        stopped = SagaStopped(stream=STREAM, version=0, position=0, message_id=EVIL, error=EVIL)
        operator.append(f"fulfilment-{INSTANCE}", CODEC.encode(stopped, metadata(stopped, correlation=CORRELATION)))
        yield process.uri


def paused(projection: str) -> NewRecord:
    pause = Operation(namespace="foldstream", projection=projection, actor=EVIL, why=EVIL, at=datetime.now(UTC))
    return NewRecord(PAUSED, pause.model_dump_json().encode())


def start(folder: Path, uri: str, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
    surroundings = {name: value for name, value in os.environ.items() if name not in SETTINGS}  # noqa: TID251 - a child's
    return subprocess.Popen(
        [*FOLDSTREAM, *arguments],
        cwd=folder,
        env={**surroundings, "PYTHONPATH": os.getcwd(), "FOLDSTREAM_EVENTSTORE_URI": uri, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def raw(said: str) -> list[str]:
    """The characters that a terminal would act upon."""
    return [char for char in said if not char.isprintable() and char != "\n"]


def test_each_verb_shows_them_escaped(store: str, tmp_path: Path) -> None:
    assert set(ARGUMENTS) | SERVE | OF_REDIS | OF_GROUPS | AS_RETRY == set(verbs())
    there = Surroundings(tmp_path, typed="a-password\n")

    def begun(*arguments: str) -> Command:
        return Command(arguments, {"FOLDSTREAM_EVENTSTORE_URI": store}, there)

    assert begun("export", ACCOUNT, "--out", "export.jsonl").said() == (0, "", "")
    (tmp_path / "spans.jsonl").write_text(span_line(EVIL, 1) + "\n", encoding="utf-8")
    asked = [(*name.split(), *own) for name, own in ARGUMENTS.items()]
    asked += [("read", STREAM, "--json"), ("read", "$all"), ("streams", "--json")]
    asked += [("history", STREAM, "--json"), ("history", "--from-version", EVIL), ("history", f"order-0{EVIL}")]
    running = [begun(*arguments) for arguments in asked]
    said = {arguments: command.said(60)[1:] for arguments, command in zip(asked, running, strict=True)}
    acted_upon = {arguments: raw(output + errors) for arguments, (output, errors) in said.items()}
    assert {arguments: chars for arguments, chars in acted_upon.items() if chars} == {}
    assert "Traceback" not in "".join(output + errors for output, errors in said.values())
    shown = said["history", STREAM][0]
    assert f"order-{printable(EVIL)}" in shown.splitlines()[0]
    for name, verb in zip(PAUSED_BEFORE, ("pause", "resume"), strict=True):
        assert printable(EVIL) in said["projections", verb, name, "--why", EVIL][0]
    assert printable(EVIL) in said["sagas", "retry", "fulfilment", INSTANCE, "--why", EVIL][0]
    assert json.loads(said["history", STREAM, "--json"][0])["events"][0]["type"] == EVIL
    code, output, errors = begun("access-log").said()  # it lists the others by what they were asked for
    assert (code, raw(output + errors)) == (0, [])
    assert f"order-{printable(EVIL)}" in output


def test_json_with_escapes_is_the_same_json() -> None:
    content = {"é": [EVIL, "\U0001f600", "\ud800", "\U000e0001"]}
    for text in (json_text(content), json_text(content, ascii_only=True)):
        assert json.loads(text) == content
    assert json_text("é") == '"é"'
    assert json_text("é\U000e0001", ascii_only=True) == '"\\u00e9\\udb40\\udc01"'


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_outside_utf8_everything_prints(store: str, tmp_path: Path, form: tuple[str, ...]) -> None:
    process = start(tmp_path, store, "trace", str(CORRELATION), *form, PYTHONIOENCODING="ascii", LC_ALL="C")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")
    assert ACCOUNT in output.decode("ascii")


def test_on_a_terminal_alone_a_table_is_as_wide_as_that(store: str, tmp_path: Path) -> None:
    process = start(tmp_path, store, "changes", ACCOUNT, COLUMNS="60")
    piped, _ = process.communicate(timeout=60)
    assert max(map(len, piped.decode().splitlines())) > 150
    terminal, own_end = pty.openpty()
    surroundings = {"FOLDSTREAM_EVENTSTORE_URI": store, "COLUMNS": "60", "TERM": "xterm", "PYTHONPATH": os.getcwd()}
    command = [*FOLDSTREAM, "changes", ACCOUNT]
    shown = subprocess.Popen(command, env=surroundings, cwd=tmp_path, stdout=own_end)
    os.close(own_end)
    text = ""
    with os.fdopen(terminal, "rb", buffering=0) as screen, suppress(OSError):  # at the end of what is shown
        while part := screen.read(65_536):
            text += part.decode()
    lines = text.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert shown.wait(timeout=60) == 0
    assert max(len(line.rstrip()) for line in lines[1:]) <= 60
