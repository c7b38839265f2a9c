"""`foldstream read --follow` goes on as long as the token counts that allowed it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.eventstore.operator import Operator
from tests.support.access import development_key, token_for
from tests.support.callers import KEY
from tests.support.commands import ran
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

EVENT: Final = NewRecord("Booked", b"{}")


@pytest.fixture
def stream(operator: Operator) -> str:
    operator.append(name := f"ledger-{uuid4()}", EVENT)
    return name


def presented(folder: Path, token: str) -> Path:
    (file := folder / "token").write_text(token, encoding="utf-8")
    return file


@contextmanager
def following(uri: str, stream: str, token: Path, key: Path = KEY) -> Iterator[Listened]:
    environment = {
        "FOLDSTREAM_EVENTSTORE_URI": uri,
        "FOLDSTREAM_TOKEN_FILE": str(token),
        "FOLDSTREAM_DEVELOPMENT_KEY": str(key),
        "FOLDSTREAM_ACCESS_LEEWAY_SECONDS": "0",
    }
    process = Listened((*FOLDSTREAM, "read", stream, "--follow", "--json"), environment)
    try:
        poll_until(lambda: process.output or process.exit_code is not None, seconds=30, what="the first event")
        yield process
    finally:
        process.kill()


def ended(process: Listened) -> tuple[int, str]:
    return process.wait(within=60), next(line for line in process.errors if not line.startswith("{"))


def test_a_token_that_expires_ends_it(uri: str, stream: str, tmp_path: Path) -> None:
    with following(uri, stream, presented(tmp_path, token_for(KEY, seconds=5))) as process:
        assert ended(process) == (1, "foldstream read: the token has expired")


def test_a_token_that_is_revoked_ends_it_before_anything_later_is_shown(
    uri: str, operator: Operator, stream: str, tmp_path: Path
) -> None:
    subject = f"ada-{uuid4()}"
    with following(uri, stream, presented(tmp_path, token_for(KEY, subject=subject))) as process:
        revoked = ran("token", "revoke", "--subject", subject, "--why", "left", FOLDSTREAM_EVENTSTORE_URI=uri)
        assert revoked.code == 0
        assert ended(process) == (1, "foldstream read: the token was revoked")
        operator.append(stream, EVENT)
        assert [json.loads(line)["version"] for line in process.output] == [0]


def test_a_later_token_of_the_same_subject_goes_on_and_another_s_does_not(
    uri: str, operator: Operator, stream: str, tmp_path: Path
) -> None:
    token = presented(tmp_path, token_for(KEY, seconds=6))
    with following(uri, stream, token) as process:
        presented(tmp_path, token_for(KEY, seconds=3600))
        for _ in range(4):
            operator.append(stream, EVENT)
        poll_until(lambda: len(process.output) == 5, seconds=30, what="what was appended")
        presented(tmp_path, token_for(KEY, subject="another"))
        assert ended(process) == (1, "foldstream read: the roles of another do not allow read-stream")


def test_a_key_that_is_withdrawn_ends_it(uri: str, stream: str, tmp_path: Path) -> None:
    key = development_key(tmp_path)
    with following(uri, stream, presented(tmp_path, token_for(key)), key) as process:
        development_key(tmp_path / "next").replace(key)
        assert ended(process) == (1, "foldstream read: the token is signed by a key that is not known here")
