"""The search for the event store when something stands in its way that no waiting mends."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import trustme

from service.http.app import create_app
from tests.infrastructure.eventstore.silent_store import RefusingStore, running
from tests.service.http.api_server import NOBODY, away, serving
from tests.service.http.shop import order_form
from tests.support.polling import poll_until, poll_until_async
from tests.support.secure import SecureEventStore


@pytest.fixture
def told() -> Iterator[threading.Event]:
    """Set when this process is told to end."""
    event = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    yield event
    signal.signal(signal.SIGTERM, before)


def test_a_process_that_can_t_go_on_searching_says_why_and_ends(tmp_path: Path, told: threading.Event) -> None:
    authority = tmp_path / "ca.crt"
    trustme.CA().cert_pem.write_to_path(str(authority))
    settings = away(eventstore_uri=f"esdb://ada:secret@{NOBODY}?tlsCaFile={authority}")
    authority.unlink()

    async def live() -> None:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            pass

    with structlog.testing.capture_logs() as captured:
        asyncio.run(live())
    assert told.wait(5)
    [line] = captured
    assert type(line.pop("exc_info")) is FileNotFoundError
    assert line == {"event": "eventstore_search_failed", "log_level": "error"}


def test_a_process_that_is_stopped_while_it_searches_says_nothing(told: threading.Event) -> None:
    async def live(said: list[Any]) -> None:
        async def has_begun() -> bool:
            return bool(said)

        app = create_app(away())
        async with app.router.lifespan_context(app):
            await poll_until_async(has_begun, 60, what="a search in vain")

    with structlog.testing.capture_logs() as captured:
        asyncio.run(live(captured))
    assert not told.is_set()
    assert {line["event"] for line in captured} == {"outage_began"}


def test_a_wrong_password_is_a_store_that_can_t_be_used(tmp_path: Path) -> None:
    with (
        SecureEventStore(tmp_path) as store,
        serving(away(eventstore_uri=store.uri(password="wrong"), command_seconds=3)) as http,
    ):
        denied = f"{store.target}: UNAUTHENTICATED: Unauthenticated"
        poll_until(lambda: _said_of_the_store(http) == denied, seconds=20, what="the store's answer")
        assert http.get("/health/ready").status_code == 503
        assert http.post("/orders", json=order_form()).json()["rule"] == "store-unavailable"


def test_a_store_that_refuses_to_be_looked_at_is_not_ready() -> None:
    with running(RefusingStore()) as uri, serving(away(eventstore_uri=uri)) as http:
        answer = http.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unable")
    assert answer.json()["checks"]["eventstore"]["detail"].endswith(": FailedPrecondition: not in this state")


def _said_of_the_store(http: httpx.Client) -> str:
    return str(http.get("/health/ready").json()["checks"]["eventstore"]["detail"])
