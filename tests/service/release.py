"""Two releases that share their servers: the workers and the API of each, all processes of their own."""

import json
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import redis

from service.addresses import lasting_port
from tests.service.client import Client
from tests.support.callers import KEY
from tests.support.eventstore import EventStoreProcess
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.redis import RedisProcess

LAST: Final = Path(__file__).parent / "data" / "last_release.tar.xz"
WORKERS: Final = ("projections", "sagas")


class Release:
    """Started by `start`; `code` is the folder that it runs from, None for the code under test."""

    def __init__(self, servers: Mapping[str, str], code: Path | None = None) -> None:
        given = {**servers, "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY)}
        self._environment = given if code is None else {**given, "PYTHONPATH": str(code)}
        self._port = lasting_port()
        self._running: dict[str, Listened] = {}
        self._ended: list[Listened] = []
        self.url: Final = f"http://127.0.0.1:{self._port}"

    def start(self, *names: str) -> None:
        """Starts the processes of these names, `api` or among WORKERS; nobody waits for them."""
        for name in names:
            port = ("--port", str(self._port)) if name == "api" else ()
            self._running[name] = Listened((*FOLDSTREAM, name, *port), self._environment)

    def kill(self, *names: str) -> None:
        """SIGKILL for them."""
        for name in names:
            process = self._running.pop(name)
            process.kill()
            self._ended.append(process)

    def close(self) -> None:
        """SIGKILL for all that run."""
        self.kill(*self._running)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """All lines about this event that its processes have written, also those that were killed."""
        return _lines_about(event, (*self._ended, *self._running.values()))

    def works(self) -> bool:
        """Whether the workers that run now follow the log with every projection, and have joined the sagas' groups."""
        caught_up = {line["projection"] for line in _lines_about("projection_caught_up", self._running.values())}
        joined = _lines_about("saga_subscription_joined", self._running.values())
        return caught_up == set(self.projections) and len(joined) == len(self.sagas)

    @cached_property
    def projections(self) -> list[str]:
        """The names of those that it has: this one's may be more."""
        return self._told("from service.consumers import PROJECTIONS; print(*(each.name for each in PROJECTIONS))")

    @cached_property
    def sagas(self) -> list[str]:
        """The same of its sagas."""
        return self._told("from service.consumers import SAGAS; print(*(each.category for each in SAGAS))")

    def _told(self, say: str) -> list[str]:
        asked = Listened((sys.executable, "-P", "-c", say), self._environment)
        asked.wait(within=30)
        return asked.output[0].split()

    def place_of_code(self) -> Path:
        """The folder that its processes import the product from."""
        asked = Listened((sys.executable, "-P", "-c", "import service; print(service.__file__)"), self._environment)
        asked.wait(within=30)
        return Path(asked.output[0]).parents[1]


def _lines_about(event: str, processes: Iterable[Listened]) -> list[dict[str, Any]]:
    lines = [line for process in processes for line in process.errors if f'"{event}"' in line]
    return [told for line in lines if (told := json.loads(line))["event"] == event]


def unpacked_last_release(folder: Path) -> Path:
    """The last release's code, unpacked into a folder."""
    with tarfile.open(LAST) as packed:
        packed.extractall(folder, filter="data")
    return folder


class TwoReleases(NamedTuple):
    """The last release and the one under test on servers of their own, nothing of them started yet."""

    last: Release
    this: Release
    clients: tuple[Client, Client]
    eventstore: str
    redis_uri: str
    redis: "redis.Redis"


@contextmanager
def two_releases(namespace: str, folder: Path) -> Iterator[TwoReleases]:
    """In an empty folder, which gets the last release's code; both are killed at the end."""
    with ExitStack() as stack:
        store = stack.enter_context(EventStoreProcess(None))
        server = RedisProcess().start()
        stack.callback(server.close)
        servers = {
            "FOLDSTREAM_EVENTSTORE_URI": store.uri,
            "FOLDSTREAM_REDIS_URI": server.uri,
            "FOLDSTREAM_NAMESPACE": namespace,
        }
        last, this = Release(servers, unpacked_last_release(folder)), Release(servers)
        stack.callback(last.close)
        stack.callback(this.close)
        clients = stack.enter_context(Client(last.url)), stack.enter_context(Client(this.url))
        connection = stack.enter_context(redis.Redis.from_url(server.uri))
        yield TwoReleases(last, this, clients, store.uri, server.uri, connection)
