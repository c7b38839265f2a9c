"""Aggregates are remembered between requests, as many as the deployment chose, and the metrics say so."""

import re
from uuid import uuid4

import httpx
import pytest

from service.settings import Settings
from tests.service.http.api_server import serving


def counted(http: httpx.Client, family: str) -> dict[str, int]:
    """The values of a family of counters by their label."""
    found = re.findall(rf'^{family}_total\{{\w+="(.+)"\}} (.+)$', http.get("/metrics").text, re.MULTILINE)
    return {label: int(float(value)) for label, value in found}


@pytest.mark.parametrize(("cached", "hits", "misses"), [(0, 0, 5), (10, 4, 1)])
def test_what_is_remembered_is_decided_on_with_one_append(
    eventstore_uri: str, redis_uri: str, cached: int, hits: int, misses: int
) -> None:
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, cached_aggregates=cached)
    with serving(settings) as http:
        account = str(uuid4())
        http.post("/accounts", json={"id": account, "owner_id": "ann", "currency": "EUR"}).raise_for_status()
        for _ in range(3):
            deposited = http.post(f"/accounts/{account}/deposits", json={"amount": "5.00"}).raise_for_status()
        assert deposited.json()["version"] == 3
        assert http.post(f"/accounts/{account}/withdrawals", json={"amount": "99.00"}).status_code == 409
        assert counted(http, "foldstream_aggregate_cache") == {"hit": hits, "miss": misses}
        refused_on_memory = 1 if hits else 0
        assert counted(http, "foldstream_command_retries") == {"remembered": refused_on_memory, "conflict": 0}


def test_repeats_and_snapshots_are_counted(eventstore_uri: str, redis_uri: str) -> None:
    with serving(Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri)) as http:
        account, key = str(uuid4()), {"Idempotency-Key": "again"}
        http.post("/accounts", json={"id": account, "owner_id": "ann", "currency": "EUR"}).raise_for_status()
        for _ in range(2):
            http.post(f"/accounts/{account}/deposits", json={"amount": "5.00"}, headers=key).raise_for_status()
        assert counted(http, "foldstream_repeat_lookups") == {"found": 1, "false_alarm": 0}
        none = {"restored": 0, "taken": 0, "failed": 0, "passed_over": 0}
        assert counted(http, "foldstream_snapshots") == none
        assert counted(http, "foldstream_snapshots_skipped") == {}
