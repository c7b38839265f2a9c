"""A store with an instance of fulfilment in each status, for all tests here, and an API that reads it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.service.http.api_server import serving
from tests.service.sagas.standing import RUNNING, UNDONE, Standing, standing
from tests.support.polling import poll_until


@pytest.fixture(scope="package")
def sagas(redis_uri: str) -> Iterator[Standing]:
    with standing(redis_uri) as made:
        yield made


@pytest.fixture(scope="package")
def http(sagas: Standing) -> Iterator[httpx.Client]:
    """Where all that was told is in the read model."""
    settings = sagas.settings.model_copy(update={"saga_stuck_seconds": 1})
    with serving(settings) as client:
        path = f"/sagas/fulfilment/{UNDONE}"
        poll_until(lambda: client.get(path).json().get("status") == "compensated", seconds=20, what="what was told")
        assert client.get(f"/sagas/fulfilment/{RUNNING}").json()["status"] == "running"
        yield client
