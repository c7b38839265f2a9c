"""The drill of docs/backup.md on one machine: copied while it runs, put back, started; the read models are as then."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.service.client import Client
from tests.support.callers import AUTHORIZED
from tests.support.commands import ran
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

SHOP: Final = ("/stock/lamp", "/customers/ada/orders", "/orders", "/accounts", "/stock", "/dashboard", "/sagas")


def shipped_order(client: Client) -> tuple[str, ...]:
    """Has an order shipped, and its saga ended; queries of all that it left."""
    client.receive("lamp", 10)
    account = client.account("100.00")
    order = client.order(account, ("lamp", 2, "9.90"))
    client.confirm(order)
    saga = f"/sagas/fulfilment/{order}"
    poll_until(lambda: client.get(f"/orders/{order}")["status"] == "shipped", seconds=60, what="the shipping")
    poll_until(lambda: client.get(saga)["status"] == "completed", seconds=60, what="the end of the fulfilment")
    poll_until(lambda: client.get("/stock/lamp")["reserved"] == 0, seconds=60, what="the hand-over")
    return (*SHOP, f"/orders/{order}", f"/accounts/{account}", f"/accounts/{account}/statement", saga)


def asked(url: str, path: str, **parameters: str) -> tuple[int, Any]:
    """The status, and the rule of a refusal."""
    answer = httpx.get(f"{url}{path}", params=parameters, headers=AUTHORIZED, trust_env=False, timeout=30)
    return answer.status_code, answer.json().get("rule")


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_what_was_there_is_there_again_and_what_came_later_is_gone(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "backup"
    with FoldstreamProcess(data) as service:
        with Client(service.url) as client:
            paths = shipped_order(client)
            before = {path: client.get(path) for path in paths}
            made = ran("eventstore", "backup", str(data / "eventstore"), str(copy), "--json")
            later = client.order(before[paths[-3]]["id"], ("lamp", 1, "9.90"))
        told = json.loads("\n".join(made.output))
        assert (made.code, made.errors, told["folder"]) == (0, [], str(copy))
        assert asked(service.url, f"/orders/{later}", at_least=str(client.seen)) == (200, None)
        assert service.stop() == 0
        shutil.rmtree(data / "eventstore")
        shutil.copytree(copy, data / "eventstore")
        service.start()
        with Client(service.url) as restored:
            assert {path: restored.ask(path) for path in paths} == before
        assert asked(service.url, f"/orders/{later}") == (404, "unknown-order")
        assert asked(service.url, "/stock/lamp", at_least=str(client.seen)) == (503, "read-model-behind")
