"""What the access log of an API under test says, and an API that may be asked by nobody known."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx

from infrastructure.access.access_entry import AccessRecorded
from infrastructure.access.access_reader import Wanted
from tests.infrastructure.access.entries import stored
from tests.service.http.api_server import away, serving
from tests.support.polling import poll_until


@contextmanager
def serving_all(store_uri: str) -> Iterator[httpx.Client]:
    """A connection, of nobody, to an API of this store."""
    with serving(away(eventstore_uri=store_uri)) as http:
        poll_until(lambda: http.get("/health/ready").status_code == 200, seconds=20, what="the event store")
        del http.headers["Authorization"]
        yield http


def entries_of(store_uri: str, tenant: str) -> list[AccessRecorded]:
    """Those of today and yesterday, in their order."""
    now = datetime.now(UTC)
    found = stored(store_uri, tenant, Wanted(now - timedelta(days=1), now + timedelta(days=1)))
    assert all(isinstance(each, AccessRecorded) for each in found)
    return [each for each in found if isinstance(each, AccessRecorded)]
