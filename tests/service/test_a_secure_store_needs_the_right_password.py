"""The whole service on an event store in secure mode: TLS, a user with a password, and nothing of it in any log."""

import json
from base64 import b64encode
from pathlib import Path

from tests.service.client import Client, stock_level
from tests.support.polling import poll_until
from tests.support.processes import Listened
from tests.support.secure import PASSWORD, USER, SecureEventStore
from tests.support.service import FoldstreamProcess

SECRETS = (PASSWORD, b64encode(f"{USER}:{PASSWORD}".encode()).decode(), "an-unguessable-guess")


def words(*processes: Listened) -> str:
    """All that they have said."""
    return "\n".join(line for process in processes for line in [*process.output, *process.errors])


def test_an_order_is_fulfilled_over_tls_and_no_secret_is_logged(tmp_path: Path) -> None:
    with SecureEventStore(tmp_path) as store:
        service = FoldstreamProcess(tmp_path / "data", {"FOLDSTREAM_EVENTSTORE_URI": store.uri()})
        with service.start(), Client(service.url) as client:
            assert list(service.processes) == ["supervisor", "redis", "projections", "sagas", "api"]
            client.receive("lamp", 3)
            order = client.order(client.account("100.00"), ("lamp", 2, "10.00"))
            client.confirm(order)
            assert client.ended(order)["status"] == "shipped"
            client.assert_becomes("/stock/lamp", stock_level("lamp", 1, version=3))
            assert service.stop() == 0
        said = words(service.process, store.process)
        listed = [path.read_bytes() for path in (tmp_path / "data" / "run").iterdir() if path.is_file()]
    assert [secret for secret in SECRETS if secret in said or any(secret.encode() in text for text in listed)] == []


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
