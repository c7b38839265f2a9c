"""A store of an earlier release in which orders were left open."""

from collections.abc import Iterator

import pytest

from tests.infrastructure.sagas.open_orders import open_orders


@pytest.fixture(scope="package")
def store_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with open_orders(tmp_path_factory.mktemp("open")) as uri:
        yield uri
