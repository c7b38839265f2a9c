"""An API whose callers are of the tenant that a test says, over the servers and workers of the whole service."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from infrastructure.access.caller import Caller
from service.http.app import create_app
from service.settings import Settings
from tests.service.http.api_server import answering

_HEADER: Final = "Tenant-Of-Test"


class Tenants:
    """Connections of callers of each tenant."""

    def __init__(self, url: httpx.URL) -> None:
        self._url: Final = url
        self._clients: Final[dict[str, httpx.Client]] = {}

    def of(self, tenant: str) -> httpx.Client:
        """That of a caller of this tenant."""
        if tenant not in self._clients:
            headers = {_HEADER: tenant}
            self._clients[tenant] = httpx.Client(base_url=self._url, timeout=40, trust_env=False, headers=headers)
        return self._clients[tenant]

    def close(self) -> None:
        """Ends them all."""
        for client in self._clients.values():
            client.close()


@contextmanager
def tenants_of(settings: Settings) -> Iterator[Tenants]:
    """Those of an API with these settings."""
    app = create_app(settings)
    app.add_middleware(_with_caller)
    with answering(app) as http:
        tenants = Tenants(http.base_url)
        try:
            yield tenants
        finally:
            tenants.close()


def _with_caller(app: ASGIApp) -> ASGIApp:
    """In place of what a token says."""

    async def let_in(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            tenant = dict(scope["headers"])[_HEADER.lower().encode()].decode()
            scope.setdefault("state", {})["caller"] = Caller("ann", frozenset({"clerk"}), tenant)
        await app(scope, receive, send)

    return let_in
