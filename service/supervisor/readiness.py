"""Waits until the service is ready, and logs meanwhile what it is waiting for."""

import asyncio
import json
from time import monotonic
from typing import Any, Final

import httpx
import structlog

from infrastructure.eventstore.uri import address_in as store_address_in
from infrastructure.readmodels.uri import address_in as redis_address_in
from service.errors import NotReady
from service.settings import Settings

SILENT_SECONDS: Final = 120.0  # how long the API may take to give any answer at all
ASK_EVERY: Final = 0.5
LOG_EVERY: Final = 10.0
LOG_FIRST: Final = 3.0
_AWAITED: Final = frozenset({"away", "behind"})
_log = structlog.get_logger(__name__)


async def ready(url: str, settings: Settings) -> None:
    """Returns when nothing in `/health/ready` is missing that will come by itself; logs what is missing meanwhile.

    A read model that an event has stopped waits for another release; readiness does not wait for it.
    Raises NotReady when the API never answers.
    """
    began, logged = monotonic(), monotonic() - LOG_EVERY + LOG_FIRST
    answered = False
    async with httpx.AsyncClient(base_url=url, timeout=5, trust_env=False) as http:
        while not (checks := _checks(answer := await _ask(http))) or _is_awaited(answer, checks):
            answered = answered or answer is not None
            if not answered and monotonic() - began > SILENT_SECONDS:
                raise NotReady("the API", SILENT_SECONDS)
            if monotonic() - logged > LOG_EVERY:
                logged = monotonic()
                _log_missing(answer, settings)
            await asyncio.sleep(ASK_EVERY)
    if stopped := [name for name, state in checks.items() if state == "stopped"]:
        _log.warning("service_degraded", stopped=stopped)


async def _ask(http: httpx.AsyncClient) -> dict[str, Any] | None:
    """The API's report on its health; None where it does not answer."""
    try:
        answer = (await http.get("/health/ready")).json()
    except (httpx.TransportError, json.JSONDecodeError):
        return None
    return answer if isinstance(answer, dict) else None


def _checks(answer: dict[str, Any] | None) -> dict[str, str]:
    """The state of each thing that the service needs; empty if there is no answer."""
    return {name: check["state"] for name, check in (answer or {}).get("checks", {}).items()}


def _is_awaited(answer: dict[str, Any] | None, checks: dict[str, str]) -> bool:
    return (answer or {}).get("status") == "unable" or not _AWAITED.isdisjoint(checks.values())


def _log_missing(answer: dict[str, Any] | None, settings: Settings) -> None:
    addresses = {}
    if settings.eventstore_uri is not None:
        addresses["eventstore"] = store_address_in(settings.eventstore_uri)
    if settings.redis_uri is not None:
        addresses["redis"] = redis_address_in(settings.redis_uri)
    _log.warning("service_awaited", checks=(answer or {}).get("checks", "the API does not answer yet"), **addresses)
