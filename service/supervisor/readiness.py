"""Waits until the service says of itself that it is ready, and says meanwhile what it is waiting for."""

import asyncio
import json
from time import monotonic
from typing import Any, Final

import httpx
import structlog

from service.errors import NotReady
from service.settings import Settings, without_credentials

SILENT_SECONDS: Final = 120.0  # how long the API may take to give any answer at all
TOLD_EVERY: Final = 10.0
TOLD_FIRST: Final = 3.0
_log = structlog.get_logger(__name__)


async def ready(url: str, settings: Settings) -> None:
    """Returns when `/health/ready` says ok. As long as it says what is missing, so do we, and wait on.

    Raises NotReady when nothing answers at all.
    """
    began, told = monotonic(), monotonic() - TOLD_EVERY + TOLD_FIRST
    heard = False
    async with httpx.AsyncClient(base_url=url, timeout=5, trust_env=False) as http:
        while (answer := await _ask(http)) is None or answer.get("status") != "ok":
            heard = heard or answer is not None
            if not heard and monotonic() - began > SILENT_SECONDS:
                raise NotReady("the API", SILENT_SECONDS)
            if monotonic() - told > TOLD_EVERY:
                told = monotonic()
                _tell(answer, settings)
            await asyncio.sleep(0.1)


async def _ask(http: httpx.AsyncClient) -> dict[str, Any] | None:
    """What the API says of its health; None where it does not answer."""
    try:
        answer = (await http.get("/health/ready")).json()
    except (httpx.TransportError, json.JSONDecodeError):
        return None
    return answer if isinstance(answer, dict) else None


def _tell(answer: dict[str, Any] | None, settings: Settings) -> None:
    named = {"eventstore": settings.eventstore_uri, "redis": settings.redis_uri}
    addresses = {name: without_credentials(uri) for name, uri in named.items() if uri is not None}
    _log.warning("service_awaited", checks=(answer or {}).get("checks", "the API does not answer yet"), **addresses)
