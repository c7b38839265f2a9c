"""A new password of the event store or Redis counts from its file, while all processes of the service run."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import httpx
import pytest
import redis

from infrastructure.embedded.eventstoredb.access.users import set_password
from tests.service.client import Client, stock_level
from tests.support.callers import AUTHORIZED
from tests.support.canaries import assert_untold
from tests.support.polling import poll_until
from tests.support.proxy import Proxy
from tests.support.redis import RedisProcess
from tests.support.secure import PASSWORD, USER, SecureEventStore
from tests.support.service import FoldstreamProcess

NEXT: Final = "another-unguessable-secret"


class Shop:
    """The service on servers that ask for passwords, each of which stands in a file with the rest of its URI."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.store = stack.enter_context(SecureEventStore(folder))
        self.proxy = stack.enter_context(Proxy(("127.0.0.1", self.store.port)))
        server = RedisProcess().start()
        stack.callback(server.close)
        self.socket = server.uri.removeprefix("unix://")
        self.redis: redis.Redis = stack.enter_context(redis.Redis.from_url(server.uri))
        self.redis.execute_command("ACL", "SETUSER", "app", "on", f">{PASSWORD}", "~*", "&*", "+@all")
        self.write(PASSWORD)
        variables = {f"FOLDSTREAM_{name}_URI_FILE": str(folder / name) for name in ("EVENTSTORE", "REDIS")}
        self.service = stack.enter_context(FoldstreamProcess(folder / "data", variables).start())
        self.client = stack.enter_context(Client(self.service.url))

    def write(self, password: str) -> None:
        store = self.store.uri(password=password).replace(str(self.store.port), str(self.proxy.port))
        (self.folder / "EVENTSTORE").write_text(f"{store}\n", encoding="utf-8")
        (self.folder / "REDIS").write_text(f"unix://app:{password}@{self.socket}\n", encoding="utf-8")

    def change(self) -> None:
        """On the servers; then all connections are cut, so that nobody goes on with the old one."""
        set_password(self.store.users, USER, NEXT)
        self.redis.execute_command("ACL", "SETUSER", "app", "resetpass", f">{NEXT}")  # type: ignore[no-untyped-call]  # redis leaves it untyped
        self.proxy.cut()
        self.redis.execute_command("CLIENT", "KILL", "USER", "app")  # type: ignore[no-untyped-call]  # redis leaves it untyped

    def answers(self) -> set[int]:
        """The status of a command and of a query, neither of which is repeated."""
        with httpx.Client(base_url=self.service.url, timeout=20, trust_env=False, headers=AUTHORIZED) as http:
            command = http.post("/stock/chair/receipts", json={"quantity": 1}, headers={"Idempotency-Key": "chair"})
            return {command.status_code, http.get("/stock/lamp").status_code}

    def fulfil(self) -> None:
        """A command of each kind, a saga and a read model are needed for that."""
        order = self.client.order(self.client.account("100.00"), ("lamp", 2, "10.00"))
        self.client.confirm(order)
        assert self.client.ended(order)["status"] == "shipped"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(tmp_path, stack)


def test_api_and_workers_go_on_with_the_new_passwords(shop: Shop) -> None:
    shop.client.receive("lamp", 9)
    shop.fulfil()
    before = shop.service.processes
    shop.change()
    poll_until(lambda: shop.answers() == {503}, seconds=30, what="a refusal of commands and queries")
    shop.write(NEXT)
    shop.fulfil()
    shop.client.assert_becomes("/stock/lamp", stock_level("lamp", 5, version=5))
    assert shop.service.processes == before
    assert shop.service.stop() == 0
    said = "\n".join([*shop.service.process.output, *shop.service.process.errors])
    assert [secret for secret in (PASSWORD, NEXT) if secret in said] == []
    assert_untold([said])
    assert said.count("login_changed") == 6
