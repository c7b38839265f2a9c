"""A real Prometheus reads a service at work: no panel of the dashboard is empty, and every rule can be evaluated."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import yaml

from service.addresses import lasting_port
from tests.service.client import Client
from tests.support.callers import header_of
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.prometheus import PROMETHEUS, PrometheusProcess
from tests.support.service import FoldstreamProcess

pytestmark = pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (Debian: prometheus)")
DEPLOY: Final = Path(__file__).parents[2] / "deploy"
ALERTS: Final = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD: Final = json.loads((DEPLOY / "grafana" / "dashboards" / "foldstream.json").read_text(encoding="utf-8"))
PANELS: Final = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
NAMES: Final = re.compile(r"\b((?:foldstream|process)_[a-z_]+)\b")
# By its certificate, which this service has not: tests/service/http/test_the_api_speaks_tls.py.
ELSEWHERE: Final = {"foldstream_certificate_expiry_timestamp_seconds"}


def jobs(api: str, token: Path, ports: dict[str, int]) -> list[dict[str, Any]]:
    """The API by a monitor's token, each worker by its own port."""
    by_token = {"authorization": {"credentials_file": str(token)}}
    addresses = {"api": urlsplit(api).netloc, **{name: f"127.0.0.1:{port}" for name, port in ports.items()}}
    return [
        {
            "job_name": f"foldstream-{name}",
            "static_configs": [{"targets": [address]}],
            **(by_token if name == "api" else {}),
        }
        for name, address in addresses.items()
    ]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FoldstreamProcess]:
    with FoldstreamProcess(tmp_path / "shop") as started:
        yield started


@pytest.fixture
def prometheus(service: FoldstreamProcess, tmp_path: Path) -> Iterator[PrometheusProcess]:
    """It reads the service, and workers beside it that share its work."""
    token = tmp_path / "token"
    token.write_text(header_of("prometheus", "monitor")["Authorization"].removeprefix("Bearer "), encoding="utf-8")
    ports = {name: lasting_port() for name in ("projections", "sagas")}
    servers = {
        "FOLDSTREAM_EVENTSTORE_URI": service.uri_of("eventstore"),
        "FOLDSTREAM_REDIS_URI": service.uri_of("redis"),
    }
    with ExitStack() as ending:
        for name, port in ports.items():
            worker = Listened((*FOLDSTREAM, name), {**servers, "FOLDSTREAM_METRICS_PORT": str(port)})
            ending.callback(worker.kill)
        yield ending.enter_context(PrometheusProcess(tmp_path, jobs(service.url, token, ports), ALERTS))


@pytest.fixture
def shop(service: FoldstreamProcess) -> Iterator[Client]:
    with Client(service.url) as client:
        yield client


def trade(client: Client) -> None:
    """One order is shipped, one declined for want of stock, a row that is not there is asked for, a history read."""
    sku, account = f"lamp-{uuid4().hex[:8]}", client.account("1000.00")
    client.receive(sku, 10)
    shipped = client.order(account, (sku, 2, "19.90"))
    declined = client.order(account, (sku, 11, "19.90"))
    for order in (shipped, declined):
        client.confirm(order)
    assert (client.ended(shipped)["status"], client.ended(declined)["status"]) == ("shipped", "cancelled")
    client.ask(f"/history/stock:{sku}")


def queries() -> list[str]:
    """Those of all panels."""
    asked = [target["expr"] for panel in PANELS for target in panel["targets"]]
    return [query.replace("$__rate_interval", "10s") for query in asked]


def names_in(texts: Sequence[str]) -> set[str]:
    return {name for text in texts for name in NAMES.findall(text)}


def test_no_panel_is_empty_and_every_rule_is_evaluated_over_metrics_that_there_are(
    prometheus: PrometheusProcess, shop: Client
) -> None:
    """One test, since it takes a whole service: no worker of the run starts a second one."""
    assert_all_shown(prometheus, shop)
    rules = [rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
    well = {rule["alert"]: ("ok", "") for rule in rules}
    poll_until(lambda: prometheus.rules() == well, seconds=60, what="an evaluation of each rule")
    asked = names_in([rule["expr"] for rule in rules])
    poll_until(lambda: asked - prometheus.names() == ELSEWHERE, seconds=60, what="the metrics that rules ask for")


def assert_all_shown(prometheus: PrometheusProcess, shop: Client) -> None:
    """Demands that each panel's query finds a number at some time while the service works; prints how many."""
    left = queries()
    found: dict[str, int] = {}

    def are_all_shown() -> bool:
        trade(shop)
        found.update({query: len(prometheus.numbers(query)) for query in left})
        left[:] = [query for query in left if not found[query]]
        return not left

    try:
        poll_until(are_all_shown, seconds=120, what="all panels")
    finally:
        sys.stdout.write("".join(f"{number:4} {query}\n" for query, number in found.items()))
