"""Waits until the service is ready, and logs meanwhile what it is waiting for."""

import asyncio
import json
from time import monotonic
from typing import Any, Final

import httpx
import structlog

from infrastructure.eventstore.uri import address_in as store_address_in
from infrastructure.readmodels.condition import NO_WORKER
from infrastructure.readmodels.uri import address_in as redis_address_in
from service.errors import NotReady
from service.settings import Settings

SILENT_SECONDS: Final = 120.0  # how long the API may take to give any answer at all
ASK_EVERY: Final = 0.5
LOG_EVERY: Final = 10.0
LOG_FIRST: Final = 3.0
_AWAITED: Final = frozenset({"away", "behind", "slow"})
_log = structlog.get_logger(__name__)


async def ready(url: str, settings: Settings) -> None:
    """Returns when nothing in `/health/ready` is missing that will come by itself; logs what is missing meanwhile.

    A read model that an event has stopped waits for another release; readiness does not wait for it.
    Raises NotReady when the API never answers.
    """
    began, logged = monotonic(), monotonic() - LOG_EVERY + LOG_FIRST
    answered = False
    # What answers is our own child on our own socket; its certificate names the hosts that others know it by.
    async with httpx.AsyncClient(base_url=url, timeout=5, trust_env=False, verify=False) as http:
        while not (checks := _checks(answer := await _ask(http))) or _is_awaited(answer, checks):
            answered = answered or answer is not None
            if not answered and monotonic() - began > SILENT_SECONDS:
                raise NotReady("the API", SILENT_SECONDS)
            if monotonic() - logged > LOG_EVERY:
                logged = monotonic()
                _log_missing(answer, settings)
            await asyncio.sleep(ASK_EVERY)
    if degraded := {name: check["state"] for name, check in checks.items() if not check["ok"]}:
        _log.warning("service_degraded", checks=degraded)


async def _ask(http: httpx.AsyncClient) -> dict[str, Any] | None:
    """The API's report on its health; None where it does not answer."""
    try:
        answer = (await http.get("/health/ready")).json()
    except (httpx.TransportError, json.JSONDecodeError):
        return None
    return answer if isinstance(answer, dict) else None


def _checks(answer: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """How each thing fares that the service needs; empty if there is no answer."""
    return dict((answer or {}).get("checks", {}))


def _is_awaited(answer: dict[str, Any] | None, checks: dict[str, dict[str, Any]]) -> bool:
    if (answer or {}).get("status") == "unable":
        return True
    return any(check["state"] in _AWAITED or check["detail"] == NO_WORKER for check in checks.values())


def _log_missing(answer: dict[str, Any] | None, settings: Settings) -> None:
    addresses = {}
    if settings.eventstore_uri is not None:
        addresses["eventstore"] = store_address_in(settings.eventstore_uri)
    if settings.redis_uri is not None:
        addresses["redis"] = redis_address_in(settings.redis_uri)
    _log.warning("service_awaited", checks=(answer or {}).get("checks", "the API does not answer yet"), **addresses)
