"""A stream that is blocked in a read model, as clients and those who look after the service see it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis

from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.keys import ProjectionKeys
from service.settings import Settings
from tests.infrastructure.readmodels.blocking import REASON, block_stream, make_live
from tests.infrastructure.readmodels.workers import deployment
from tests.service.http.api_server import serving
from tests.service.http.shop import assert_refused
from tests.support.positions import number_of

READ_MODELS = ("account_balance", "account_statement")


@dataclass(frozen=True)
class Blocked:
    """An account whose stream is blocked at its first event in both read models of accounts, and how it was opened."""

    http: httpx.Client
    account: str
    opened: httpx.Response
    form: dict[str, Any]
    block: Block
    at_block: str
    before: str

    @property
    def members(self) -> dict[str, Any]:
        """What a problem says of the block."""
        return {"position": self.before, "stream": f"account-{self.account}", "version": 0}

    def detail(self, read_model: str) -> str:
        return f"{read_model} can't fold account-{self.account} at version 0; what comes after it waits."


@pytest.fixture(scope="module")
def blocked(eventstore_uri: str, redis_uri: str) -> Iterator[Blocked]:
    namespace, key = f"blocked-{uuid4().hex[:12]}", {"Idempotency-Key": str(uuid4())}
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=namespace)
    deployed = deployment(eventstore_uri, redis_uri, namespace)
    with (
        serving(settings) as http,
        redis.Redis.from_url(redis_uri) as connection,
        open_reader(eventstore_uri) as reader,
    ):
        form = {"id": str(uuid4()), "owner_id": "ada", "currency": "EUR"}
        opened = http.post("/accounts", json=form, headers=key)
        assert opened.status_code == 201
        for name in READ_MODELS:
            keys = make_live(connection, ProjectionKeys(namespace, name), store_identity(reader))
            block = block_stream(deployed, connection, keys, "account", form["id"], 0)
        token = opened.headers["Foldstream-Position"]
        before = f"1.{block.position - 1}.00000000.{token.rpartition('.')[2]}"
        yield Blocked(http, form["id"], opened, {"json": form, "headers": key}, block, token, before)


@pytest.mark.parametrize(("path", "read_model"), [("", "account_balance"), ("/statement", "account_statement")])
def test_one_without_a_row_is_behind_and_not_unknown(blocked: Blocked, path: str, read_model: str) -> None:
    url = f"/accounts/{blocked.account}{path}"
    refused = blocked.http.get(url)
    assert refused.headers["Retry-After"] == "1"
    assert_refused(refused, 503, "read-model-behind", blocked.detail(read_model), **blocked.members)
    beyond = blocked.http.get(url, params={"at_least": blocked.at_block, "wait": 30})
    members = {**blocked.members, "at_least": blocked.at_block}
    assert_refused(beyond, 503, "read-model-behind", blocked.detail(read_model), **members)
    assert beyond.elapsed.total_seconds() < 10
    assert blocked.http.get(f"/accounts/{uuid4()}{path}").status_code == 404


def test_a_command_does_not_say_that_it_was_folded(blocked: Blocked) -> None:
    repeat = blocked.http.post("/accounts", **blocked.form, params={"consistency": "account_balance", "wait": 30})
    assert (repeat.status_code, repeat.json()) == (202, blocked.opened.json())
    assert repeat.elapsed.total_seconds() < 10
    assert blocked.http.post("/accounts", **blocked.form).status_code == 201


def test_readiness_names_the_stream_and_metrics_count_it(blocked: Blocked) -> None:
    number_before = blocked.block.position - 1
    assert number_of(blocked.before) == number_before
    report = blocked.http.get("/health/ready").json()
    assert report["status"] == "degraded"
    for name in READ_MODELS:  # nobody works at them, which goes before
        assert report["checks"][name]["state"] == "stopped"
    metrics = blocked.http.get("/metrics").text.splitlines()
    for name in READ_MODELS:
        assert f'foldstream_projection_blocked_streams{{projection="{name}"}} 1.0' in metrics
        assert f'foldstream_projection_waiting_events{{projection="{name}"}} 0.0' in metrics
    assert REASON not in report["checks"]["account_balance"]["detail"]
