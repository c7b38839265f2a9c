"""The whole service on an event store in secure mode: TLS, a user with a password, and nothing of it in any log."""

import json
from base64 import b64encode
from pathlib import Path
from signal import SIGKILL

import httpx
import pytest
import redis

from tests.service.client import Client, stock_level
from tests.support.callers import AUTHORIZED
from tests.support.canaries import SECRETS as CANARIES
from tests.support.canaries import assert_untold, told
from tests.support.polling import poll_until
from tests.support.processes import Listened
from tests.support.secure import PASSWORD, USER, Certificates, SecureEventStore
from tests.support.service import FoldstreamProcess

SECRETS = (PASSWORD, b64encode(f"{USER}:{PASSWORD}".encode()).decode(), "an-unguessable-guess")


def words(*processes: Listened) -> str:
    """All that they have said."""
    return "\n".join(line for process in processes for line in [*process.output, *process.errors])


def test_an_order_is_fulfilled_over_tls_and_no_secret_is_logged(tmp_path: Path) -> None:
    with SecureEventStore(tmp_path) as store:
        (tmp_path / "uri").write_text(f"{store.uri()}\n", encoding="utf-8")
        service = FoldstreamProcess(tmp_path / "data", {"FOLDSTREAM_EVENTSTORE_URI_FILE": str(tmp_path / "uri")})
        with service.start(), Client(service.url) as client:
            assert list(service.processes) == ["supervisor", "redis", "projections", "sagas", "api"]
            client.receive("lamp", 3)
            order = client.order(client.account("100.00"), ("lamp", 2, "10.00"))
            client.confirm(order)
            assert client.ended(order)["status"] == "shipped"
            client.assert_becomes("/stock/lamp", stock_level("lamp", 1, version=3))
            found = answers(service.url, order) + stored(service.uri_of("redis"))
            assert service.stop() == 0
        said = words(service.process, store.process)
        listed = [path.read_bytes() for path in (tmp_path / "data" / "run").iterdir() if path.is_file()]
    assert [secret for secret in SECRETS if secret in said or any(secret.encode() in text for text in listed)] == []
    assert_untold([said, *found, *(text.decode(errors="replace") for text in listed)])


def answers(url: str, order: str) -> list[str]:
    """Pages, reports, histories and problems, also to requests that say a token where none belongs."""
    token = AUTHORIZED["Authorization"].removeprefix("Bearer ")
    asked = ("/", "/docs", "/openapi.json", "/metrics", "/health/ready", f"/history/order-{order}", "/access-log")
    with httpx.Client(base_url=url, timeout=20, trust_env=False, headers=AUTHORIZED) as http:
        found = [http.get(path) for path in asked]
        assert {answer.status_code for answer in found} == {200}
        found.append(http.get("/orders", params={"access_token": token}))
        found.append(http.get(f"/orders/{token}"))
        found.append(http.get("/orders", headers={"Authorization": f"Basic {token}"}))
        found.append(http.post("/accounts", json={token: 1}))
    assert [answer.status_code for answer in found[-4:]] == [422, 422, 401, 422]
    return [answer.text for answer in found[:-3]] + [found[-2].text]


def stored(uri: str) -> list[str]:
    """All keys of Redis with what they hold, as it dumps them."""
    with redis.Redis.from_url(uri) as connection:
        names: list[bytes] = list(connection.scan_iter(count=1000))
        dumped: list[bytes | None] = [connection.dump(name) for name in names]
    return [text.decode("latin-1") for text in (*names, *filter(None, dumped))]


def test_a_process_that_tells_a_secret_is_found_out() -> None:
    for secret in CANARIES:
        process = Listened(("/bin/echo", f"the secret is {secret}"), {})
        with pytest.raises(AssertionError, match=r"a secret stands in a text of \d+ characters"):
            process.wait(within=10)
    assert len(told()) == len(CANARIES)


def test_a_process_that_nobody_waits_for_is_found_out_as_well(tmp_path: Path) -> None:
    key = Certificates(tmp_path).write().key.read_text(encoding="utf-8")
    for secret in (*CANARIES, key):
        process = Listened(("/bin/sh", "-c", 'echo "$0" >&2; exec sleep 60', f"secret:\n{secret}"), {})
        found = poll_until(told, seconds=10, what="a secret that was told")
        assert [line.partition(" in ")[0] for line in found] == ["a process under test told a secret"]
        process.send(SIGKILL)


def test_a_wrong_password_is_named_as_the_reason_and_not_repeated(tmp_path: Path) -> None:
    with SecureEventStore(tmp_path) as store:
        uri = store.uri(password="an-unguessable-guess")
        service = FoldstreamProcess(tmp_path / "data", {"FOLDSTREAM_EVENTSTORE_URI": uri})
        with service.launch():
            poll_until(lambda: "UNAUTHENTICATED" in words(service.process), seconds=30, what="the reason")
            waiting = next(line for line in service.process.errors if "UNAUTHENTICATED" in line)
            assert json.loads(waiting)["level"] in {"warning", "info", "error"}
        said = words(service.process, store.process)
    assert [secret for secret in SECRETS if secret in said] == []
