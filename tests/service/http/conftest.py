"""A connection to the whole service, and an API by itself for tests that need others than that has."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from infrastructure.eventstore.codec import EventCodec
from infrastructure.readmodels.deployment import Deployment
from projections import notifications, trip_summary, trips_by_customer
from service.consumers import EVENTS
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.client import Client
from tests.service.http.api_server import away, serving
from tests.service.http.description import Description
from tests.support.callers import AUTHORIZED
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

TRIPS = (trip_summary.projection, trips_by_customer.projection, notifications.projection)


@pytest.fixture(scope="session")
def namespace() -> str:
    """That of the service's read models."""
    return f"service-{uuid4().hex[:12]}"


@pytest.fixture(scope="package")
def service(
    tmp_path_factory: pytest.TempPathFactory, eventstore_uri: str, redis_uri: str, namespace: str
) -> Iterator[FoldstreamProcess]:
    """One for all tests that only use it. It shares its servers with other tests, but no read models."""
    environment = {
        "FOLDSTREAM_EVENTSTORE_URI": eventstore_uri,
        "FOLDSTREAM_REDIS_URI": redis_uri,
        "FOLDSTREAM_NAMESPACE": namespace,
        "FOLDSTREAM_AUDIT_STREAMS": "0",  # what it tells of read models that are well depends on when it is asked
    }
    with FoldstreamProcess(tmp_path_factory.mktemp("service"), environment) as started:
        yield started


@pytest.fixture
def client(service: FoldstreamProcess) -> Iterator[Client]:
    with Client(service.url) as opened:
        yield opened


@pytest.fixture(scope="package")
def api(service: FoldstreamProcess) -> str:
    """Where the service answers."""
    return service.url


@pytest.fixture(scope="package")
def description(api: str) -> Description:
    """What the API says of itself."""
    return Description(httpx.get(f"{api}/openapi.json", trust_env=False).json())


@pytest.fixture(scope="package")
def http(api: str, description: Description) -> Iterator[httpx.Client]:
    """A connection to the service, kept open; every answer that comes over it has to be as described."""
    hooks = {"response": [description.demand]}
    with httpx.Client(base_url=api, timeout=40, trust_env=False, headers=AUTHORIZED, event_hooks=hooks) as client:
        yield client


@pytest.fixture(scope="package")
def unbooked(redis_uri: str, description: Description) -> Iterator[tuple[str, httpx.Client]]:
    """A store whose trips nobody books, and an API that reads them."""
    with EventStoreProcess(None) as store:
        settings = away(eventstore_uri=store.uri, redis_uri=redis_uri, namespace=f"unbooked-{uuid4().hex[:12]}")
        deployed = Deployment(store.uri, redis_uri, settings.namespace, 1, EventCodec(EVENTS))
        with ThreadWorker(deployed, *TRIPS), serving(settings) as http:
            http.event_hooks = {"response": [description.demand]}
            asked = (f"/trips/{uuid4()}", "/customers/nobody/trips", "/customers/nobody/notifications")
            poll_until(
                lambda: all(http.get(path).status_code != 503 for path in asked), seconds=60, what="the read models"
            )
            yield store.uri, http


@pytest.fixture(scope="module")
def own() -> Iterator[tuple[Operator, httpx.Client]]:
    """A store that holds what no read model could pass by, and an API that reads it."""
    with (
        EventStoreProcess(None) as process,
        operating(process.uri) as operator,
        serving(away(eventstore_uri=process.uri)) as http,
    ):
        yield operator, http
