"""One server in secure mode for all tests that only use it."""

from base64 import b64encode
from collections.abc import Iterator

import pytest

from tests.support.secure import PASSWORD, USER, SecureEventStore


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureEventStore]:
    with SecureEventStore(tmp_path_factory.mktemp("secure")) as store:
        yield store


def login(user: str = USER, password: str = PASSWORD) -> str:
    """The header of a user."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
