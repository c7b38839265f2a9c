"""An API whose callers are of the tenant that a test says, over the servers and workers of the whole service."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from service.settings import Settings
from tests.service.http.api_server import serving
from tests.support.callers import header_of


class Tenants:
    """Connections of an administrator of each tenant."""

    def __init__(self, url: httpx.URL) -> None:
        self._url: Final = url
        self._clients: Final[dict[str, httpx.Client]] = {}

    def of(self, tenant: str) -> httpx.Client:
        """That of a caller of this tenant."""
        if tenant not in self._clients:
            headers = header_of("ann", "administrator", tenant=tenant)
            self._clients[tenant] = httpx.Client(base_url=self._url, timeout=40, trust_env=False, headers=headers)
        return self._clients[tenant]

    def close(self) -> None:
        """Ends them all."""
        for client in self._clients.values():
            client.close()


@contextmanager
def tenants_of(settings: Settings) -> Iterator[Tenants]:
    """Those of an API with these settings."""
    with serving(settings) as http:
        tenants = Tenants(http.base_url)
        try:
            yield tenants
        finally:
            tenants.close()
