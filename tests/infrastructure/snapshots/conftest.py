"""A long stream that tests share."""

import asyncio

import pytest

from tests.infrastructure.snapshots import tally_snapshots
from tests.infrastructure.snapshots.tally_snapshots import LongTally


@pytest.fixture(scope="session")
def long_tally(eventstore_uri: str) -> LongTally:
    """Read by many, since it takes a second to write."""
    return asyncio.run(tally_snapshots.long_tally(eventstore_uri))
