"""Another process locks the embedded store's file: a command waits for the end of that, as long as it may."""

from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from time import monotonic

import httpx
import pytest

from tests.service.http.api_server import away, serving
from tests.service.http.shop import done, new_account
from tests.support.eventstore import EventStoreProcess
from tests.support.locked_store import locked

COMMAND_SECONDS = 2
TRIED_FOR = 0.75 * COMMAND_SECONDS
PAUSE = 0.5  # the longest between two attempts: none begins after that time
FORM = {"owner_id": "ada", "currency": "EUR"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStoreProcess]:
    with EventStoreProcess(tmp_path) as process:
        yield process


@pytest.fixture
def http(store: EventStoreProcess) -> Iterator[httpx.Client]:
    with serving(away(eventstore_uri=store.uri, command_seconds=COMMAND_SECONDS)) as client:
        new_account(client)  # it has found the store
        yield client


def test_a_lock_that_stays_is_told_within_the_time_of_a_command(http: httpx.Client, tmp_path: Path) -> None:
    with locked(tmp_path):
        began = monotonic()
        refused = http.post("/accounts", json=FORM)
        took = monotonic() - began
    assert (refused.status_code, refused.json()["rule"]) == (503, "store-unavailable")
    assert TRIED_FOR - PAUSE < took <= COMMAND_SECONDS + 0.5  # what a busy machine adds


def test_a_lock_that_ends_in_time_costs_a_wait_alone(http: httpx.Client, tmp_path: Path) -> None:
    with locked(tmp_path) as other:
        end = Timer(TRIED_FOR / 2, lambda: other.execute("ROLLBACK"))
        end.start()
        answered = http.post("/accounts", json=FORM)
        end.join()
    assert done(answered)["version"] == 0
