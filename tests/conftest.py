"""The servers that a run's processes use: never empty, never cleaned, so every test uses ids of its own.

Each worker of a run (`pytest -n`) has servers of its own, unless the surroundings name one: then all share that.
"""

import gc
import os
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as examples

from service.settings import Settings
from tests.support import servers
from tests.support.canaries import told

_USED = pytest.StashKey[list[str]]()
_FIGURES = pytest.StashKey[list[str]]()
_HANDED_OVER: Final = {"servers": _USED, "figures": _FIGURES}
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# How long an example takes says more of what else the machine does than of the code.
examples.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("busy machine")
# By itself structlog prints all variables of a traceback: megabytes, which take many seconds.
_PLAIN: Final = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _PLAIN])


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


@pytest.fixture(autouse=True)
def untold() -> Iterator[None]:
    """No process under test has told a secret meanwhile, whether it was waited for or killed, or goes on."""
    yield
    assert told() == []


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> list[str]:
    """Lines that the run's summary shows."""
    return pytestconfig.stash.setdefault(_FIGURES, [])


def pytest_collection_finish() -> None:
    """The thousands of tests stay: the garbage collector needn't look through them again and again."""
    gc.collect()
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """More than there are cores: tests of servers mostly wait."""
    return len(os.sched_getaffinity(0)) + 2


def pytest_make_parametrize_id(val: object) -> str | None:
    """Tests are named alike in every worker and every run: without the UUIDs that are drawn for them."""
    return _UUID.sub("uuid", val) if isinstance(val, str) and _UUID.search(val) else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what the whole run's summary says."""
    if hasattr(session.config, "workeroutput"):
        for name, key in _HANDED_OVER.items():
            session.config.workeroutput[name] = session.config.stash.get(key, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes over what a worker hands over; one that crashed hands over nothing."""
    for name, key in _HANDED_OVER.items():
        node.config.stash.setdefault(key, []).extend(getattr(node, "workeroutput", {}).get(name, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says which servers the tests ran against, and what they counted."""
    for line in config.stash.get(_FIGURES, []):
        terminalreporter.write_line(line)
    used: list[str] = config.stash.get(_USED, [])
    if used:
        terminalreporter.write_line(f"servers: {', '.join(sorted(set(used)))}")
