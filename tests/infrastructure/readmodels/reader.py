"""Asks read models in tests, each question on connections of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from domain.stream_name import DEFAULT_TENANT
from infrastructure.eventstore.client import command_client
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.health import ProjectionHealth
from infrastructure.readmodels.live_generation import READ_SECONDS
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import servers_at
from projections.projection import Entry, Projection
from tests.infrastructure.readmodels.tallies import Tally
from tests.support.polling import poll_until
from tests.support.positions import at

WAIT = 60.0
T = TypeVar("T")


class Reader:
    """The read models of one deployment, as a test asks them: in its own thread, and patiently."""

    def __init__(self, deployed: Deployment, tenant: str = DEFAULT_TENANT) -> None:
        self._deployed = deployed
        self._tenant = tenant

    def ask(self, question: Callable[[ReadModels], Awaitable[T]]) -> T:
        """The answer to one question."""

        async def asked() -> T:
            client = await command_client(self._deployed.eventstore_uri)
            servers = servers_at(self._deployed.redis_uri, READ_SECONDS)
            try:
                return await question(ReadModels(servers, client, self._deployed.namespace).of_tenant(self._tenant))
            finally:
                await servers.aclose()
                await client.close()

        return asyncio.run(asked())

    def row(self, projection: Projection[Tally], tally: str, at_least: int | None = None) -> Tally | None:
        """The row at that position or later."""
        token = None if at_least is None else at(at_least)
        return self.ask(lambda models: models.get(projection, tally, at_least=token, wait=WAIT)).row

    def totals(self, projection: Projection[Any], tallies: Sequence[str], at_least: int) -> dict[str, int]:
        """The totals of all these tallies, once the whole read model is that far."""

        async def question(models: ReadModels) -> list[Any]:
            await models.page(projection, "none", limit=1, at_least=at(at_least), wait=WAIT)
            return await models.rows(projection, tallies)

        rows = self.ask(question)
        return {tally: row.total for tally, row in zip(tallies, rows, strict=True) if row is not None}

    def entries(self, projection: Projection[Any], index: str, limit: int = 50) -> list[Entry]:
        """All entries of an index, page by page."""

        async def question(models: ReadModels) -> list[Entry]:
            entries: list[Entry] = []
            cursor = None
            while True:
                page = await models.page(projection, index, limit=limit, cursor=cursor)
                entries += page.entries
                cursor = page.next
                if cursor is None:
                    return entries

        return self.ask(question)

    def sums(
        self, projection: Projection[Any], *groups: str, at_least: int | None = None
    ) -> Mapping[str, Mapping[str, int]]:
        """The counters of these groups, at that position or later."""
        token = None if at_least is None else at(at_least)
        return self.ask(lambda models: models.sums(projection, groups, at_least=token, wait=WAIT)).groups

    def health(self, projection: Projection[Any]) -> ProjectionHealth:
        """How it fares."""
        return self.ask(lambda models: models.health(projection))

    def is_available(self, projection: Projection[Any]) -> bool:
        """Whether queries are answered."""
        try:
            self.ask(lambda models: models.page(projection, "none", limit=1))
        except ReadModelUnavailable:
            return False
        return True

    def wait_until_available(self, projection: Projection[Any]) -> None:
        """Bounded."""
        poll_until(lambda: self.is_available(projection), seconds=WAIT, what=f"{projection.name} to be available")
