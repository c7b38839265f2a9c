"""What tests of views on the command line share: some stock in a log, and read models of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from domain.stock.stock import SkuRegistered, StockReceived, stock_id
from infrastructure.readmodels.connection import connect
from infrastructure.views.catalog import ViewCatalog
from infrastructure.views.definition import Span, ViewDefinition
from infrastructure.views.partition_build import build_partitions
from infrastructure.views.view_build import ViewRequest, build_view
from projections import stock_levels
from service.cli.main import app
from service.history.sources import CODEC
from service.settings import Settings
from service.workers.projections import deployment_of
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import metadata
from tests.service.cli.projections.conftest import environment_of
from tests.service.http.api_server import serving
from tests.support.processes import FOLDSTREAM, Listened

SECONDS: Final = 60.0


@dataclass(frozen=True)
class Shelf:
    """SKUs of which goods were received twice: `between` lies where all had received once."""

    settings: Settings
    skus: Sequence[str]
    between: int

    def start(self, *arguments: str) -> Listened:
        """A process of the program on these servers, with four partitions."""
        environment = {**environment_of(self.settings), "FOLDSTREAM_PARTITIONS": "4"}
        return Listened((*FOLDSTREAM, "--log", "json", *arguments), environment)

    def run(self, *arguments: str) -> Result:
        """What comes of it in this process; a refusal is an exception, which `main` prints."""
        return CliRunner(env=environment_of(self.settings)).invoke(app, arguments)

    def make(self, name: str, **span: Any) -> ViewDefinition:
        """A view of the stock, made in this process."""
        deployed, stock = deployment_of(self.settings), stock_levels.projection
        request = ViewRequest(name, Span(**span), 3_600_000, "cli:ann", "to look back")

        def build(view: ViewDefinition, wait: object) -> None:
            build_partitions(deployed, stock, view, range(view.partitions))

        return build_view(deployed, stock, request, build)

    def find(self, name: str) -> ViewDefinition | None:
        """A view of the stock."""
        with connect(self.settings.redis) as connection:
            return ViewCatalog(connection, self.settings.namespace, stock_levels.projection.name).find(name)

    def on_hand(self, name: str) -> list[int]:
        """Of each SKU, as the API answers from the view."""
        with serving(self.settings) as http:
            return [http.get(f"/stock/{sku}", params={"view": name}).json()["on_hand"] for sku in self.skus]


@pytest.fixture(scope="package")
def shelf(eventstore_uri: str, redis_uri: str) -> Shelf:
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=f"views-{uuid4().hex[:12]}")
    skus = [f"lamp-{uuid4().hex[:8]}" for _ in range(6)]
    with operating(eventstore_uri) as operator:
        for sku in skus:
            events = [SkuRegistered(sku=sku), StockReceived(sku=sku, quantity=3)]
            records = [CODEC.encode(event, metadata(event, correlation=uuid4())) for event in events]
            between = operator.append(f"stock-{stock_id(sku)}", *records)
        for sku in skus:
            event = StockReceived(sku=sku, quantity=4)
            operator.append(f"stock-{stock_id(sku)}", CODEC.encode(event, metadata(event, correlation=uuid4())))
    return Shelf(settings, skus, between)
