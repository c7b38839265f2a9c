"""Two hundred clients ask one API at once: each is answered or told to come back, what was acknowledged is there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest

from service.addresses import lasting_port
from tests.service.http.crowd import NOT_NOW, crowd, visit_at_once
from tests.service.http.shop import told
from tests.support.callers import KEY
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.service import FoldstreamProcess

CLIENTS = 200


@pytest.fixture
def servers(service: FoldstreamProcess, eventstore_uri: str, redis_uri: str, namespace: str) -> dict[str, str]:
    """Those of the whole service, whose workers fold what is written."""
    return {
        "FOLDSTREAM_EVENTSTORE_URI": eventstore_uri,
        "FOLDSTREAM_REDIS_URI": redis_uri,
        "FOLDSTREAM_NAMESPACE": namespace,
        "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY),
    }


@contextmanager
def narrow_api(servers: dict[str, str]) -> Iterator[str]:
    """One API process that lets in fewer commands and queries than there are clients; where it answers."""
    bounds = {"COMMANDS_AT_ONCE": "8", "COMMANDS_WAITING": "24", "QUERIES_AT_ONCE": "16"}
    port = lasting_port()
    url = f"http://127.0.0.1:{port}"
    given = {**servers, **{f"FOLDSTREAM_{name}": bound for name, bound in bounds.items()}}
    process = Listened((*FOLDSTREAM, "api", "--port", str(port)), given)
    try:
        poll_until(lambda: _is_ready(url), seconds=60, what="the API")
        yield url
    finally:
        process.kill()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=20, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(1_200)])])
def test_each_is_answered_or_told_to_come_back_and_keeps_what_was_acknowledged(
    servers: dict[str, str], api: str, figures: list[str], rounds: int
) -> None:
    visitors = crowd(CLIENTS)
    with narrow_api(servers) as url:
        answered = visit_at_once(url, visitors, rounds)
        with httpx.Client(base_url=url, timeout=40, trust_env=False) as http:
            for visitor in visitors:
                visitor.settle(http)
    figures.append(f"{CLIENTS} clients at once: {dict(sorted(answered.items(), key=str))}")
    assert answered.total() == CLIENTS * rounds * 2
    assert set(answered) <= {(200, None), (201, None), (404, "unknown-sku"), *NOT_NOW}
    assert (answered[201, None] > 0, answered[429, "overloaded"] > 0) == (True, True)
    with httpx.Client(base_url=api, timeout=40, trust_env=False) as http:
        kept = {visitor.sku: _on_hand(http, visitor.path, visitor.token, visitor.header) for visitor in visitors}
    assert kept == {visitor.sku: visitor.acknowledged for visitor in visitors}


def _on_hand(http: httpx.Client, path: str, token: str | None, header: Mapping[str, str]) -> int:
    """How many there are; none where nothing was ever received."""
    answer = http.get(path, params={"wait": 30, **({} if token is None else {"at_least": token})}, headers=header)
    status, body = told(answer)
    return 0 if (status, body.get("rule")) == (404, "unknown-sku") else int(body["on_hand"])
