"""Makes views in the test's own process, and asks them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from infrastructure.eventstore.client import command_client
from infrastructure.readmodels.answers import IndexPage
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.live_generation import READ_SECONDS
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import servers_at
from infrastructure.views.catalog import ViewCatalog
from infrastructure.views.definition import Span, ViewDefinition
from infrastructure.views.partition_build import build_partitions
from infrastructure.views.view_build import BuildPartitions, ViewRequest, Wait, build_view
from infrastructure.views.view_reads import ViewReads
from projections.projection import Projection
from tests.support.positions import at

T = TypeVar("T")
DAY: Final = 86_400_000


class Album:
    """The views of one projection."""

    def __init__(self, deployed: Deployment, projection: Projection[Any]) -> None:
        self.deployed: Final = deployed
        self.projection: Final = projection

    def make(self, name: str, ttl: int = DAY, **span: Any) -> ViewDefinition:
        """Begins the view, or goes on with it, and finishes it."""
        return self.make_by(self.build, name, ttl, **span)

    def make_by(self, build: BuildPartitions, name: str, ttl: int = DAY, **span: Any) -> ViewDefinition:
        """The same; its partitions are built so."""
        request = ViewRequest(name, Span(**span), ttl, "cli:ann", "to look back")
        return build_view(self.deployed, self.projection, request, build)

    def build(self, view: ViewDefinition, wait: Wait) -> None:
        """Its partitions, one after the other."""
        build_partitions(self.deployed, self.projection, view, range(view.partitions))
        wait(0.0)

    def known(self) -> list[ViewDefinition]:
        """Those that there are."""
        return self.catalog(ViewCatalog.all)

    def catalog(self, ask: Callable[[ViewCatalog], T]) -> T:
        """What the catalog answers."""
        keys = ProjectionKeys(self.deployed.namespace, self.projection.name)
        with connect(self.deployed.redis_uri, keys.live) as connection:
            return ask(ViewCatalog(connection, self.deployed.namespace, self.projection.name))

    def ask(self, name: str, question: Callable[[ReadModels], Awaitable[T]]) -> T:
        """The answer of that view."""

        async def asked() -> T:
            client = await command_client(self.deployed.eventstore_uri)
            servers = servers_at(self.deployed.redis_uri, READ_SECONDS)
            try:
                models = ReadModels(servers, client, self.deployed.namespace)
                reads = ViewReads(servers, self.deployed.namespace, models.seen)
                return await question(models.reading(reads.of(name)))
            finally:
                await servers.aclose()
                await client.close()

        return asyncio.run(asked())

    def rows(self, name: str, ids: Sequence[str]) -> dict[str, Any]:
        """Those of these rows that the view has."""
        rows = self.ask(name, lambda models: models.rows(self.projection, ids))
        return {each: row for each, row in zip(ids, rows, strict=True) if row is not None}

    def page(self, name: str, index: str, at_least: int | None = None) -> IndexPage:
        """The entries of an index, newest first."""
        token = None if at_least is None else at(at_least)
        return self.ask(name, lambda models: models.page(self.projection, index, limit=100, at_least=token))
