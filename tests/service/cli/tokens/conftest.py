"""A store of these tests' own: what is revoked in it concerns no other."""

from collections.abc import Iterator

import pytest

from tests.service.cli.snapshots.command import Store
from tests.service.cli.snapshots.conftest import new_store


@pytest.fixture(scope="package")
def store() -> Iterator[Store]:
    with new_store() as opened:
        yield opened
