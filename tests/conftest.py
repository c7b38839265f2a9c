"""The servers that the whole run shares: never empty, never cleaned, so every test uses ids of its own."""

from collections.abc import Iterator

import pytest

from service.settings import Settings
from tests.support import servers

_USED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def eventstore_uri(pytestconfig: pytest.Config) -> Iterator[str]:
    """A running event store."""
    with servers.eventstore(Settings.from_environment().eventstore_uri) as server:
        pytestconfig.stash.setdefault(_USED, []).append(server.described)
        yield server.uri


@pytest.fixture(scope="session")
def redis_uri(pytestconfig: pytest.Config) -> Iterator[str]:
    """A running Redis."""
    with servers.redis(Settings.from_environment().redis_uri) as server:
        pytestconfig.stash.setdefault(_USED, []).append(server.described)
        yield server.uri


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says which servers the tests ran against."""
    used = config.stash.get(_USED, [])
    if used:
        terminalreporter.write_line(f"servers: {', '.join(used)}")
