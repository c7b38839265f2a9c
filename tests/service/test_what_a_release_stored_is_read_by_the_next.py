"""A data folder of the release before format numbers: this one goes on from it, and builds nothing anew."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import redis

from infrastructure.readmodels.checkpoint import Checkpoint
from tests.support.callers import AUTHORIZED
from tests.support.service import FoldstreamProcess

DATA: Final = Path(__file__).parent / "data"
TOLD: Final[dict[str, Any]] = json.loads((DATA / "before_format_numbers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FoldstreamProcess]:
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(DATA / "before_format_numbers.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    with FoldstreamProcess(folder) as started:
        yield started


@pytest.fixture(scope="module")
def http(service: FoldstreamProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=40, trust_env=False, headers=AUTHORIZED) as client:
        yield client


def checkpoints(service: FoldstreamProcess) -> dict[str, bytes]:
    """What is stored of each projection's only partition."""
    with redis.Redis.from_url(service.uri_of("redis")) as connection:
        keys = sorted(connection.scan_iter(match="*}:checkpoint"))
        return {key.decode(): connection.get(key) or b"" for key in keys}


@pytest.mark.parametrize("path", TOLD["answers"])
def test_every_query_answers_what_the_last_release_answered(path: str, http: httpx.Client) -> None:
    """Tokens that were given out then are still good."""
    answer = http.get(path, params={"at_least": TOLD["token"]})
    assert (answer.status_code, answer.json()) == (200, TOLD["answers"][path])


def test_the_read_models_go_on_from_where_they_were(service: FoldstreamProcess, http: httpx.Client) -> None:
    account = next(path for path in TOLD["answers"] if path.startswith("/accounts/") and "statement" not in path)
    before = checkpoints(service)
    assert {key.split(":")[-3] for key in before} == {"1"}
    paid = http.post(f"{account}/deposits", json={"amount": "25.00"})
    assert paid.status_code == 200
    answer = http.get(account, params={"at_least": paid.json()["position"], "wait": 30})
    assert answer.json() == {**TOLD["answers"][account], "balance": "400.00", "version": 3}
    after = checkpoints(service)
    assert after.keys() == before.keys()
    moved = Checkpoint.parse(after["{foldstream:account_balance:1:p0}:checkpoint"].decode())
    assert moved.anchor is not None
    assert moved.anchor.position == moved.position
