"""Which servers a test run uses: those that the environment names, else containers, else the embedded ones."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import docker
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy, LogMessageWaitStrategy

from tests.support.eventstore import EventStoreProcess
from tests.support.redis import RedisProcess

EVENTSTORE_IMAGE: Final = "eventstore/eventstore:24.10"
REDIS_IMAGE: Final = "redis:7.4"


@dataclass(frozen=True, slots=True)
class Server:
    """The URI of a server, and its description for the summary."""

    uri: str
    described: str


@contextmanager
def eventstore(named: str | None) -> Iterator[Server]:
    """The event store of a run; it ends what it started, and never deletes anything from a named one."""
    if named:
        yield Server(named, f"the EventStoreDB at {_without_password(named)}")
    elif docker_answers():
        with _container(EVENTSTORE_IMAGE, 2113, _EVENTSTORE, HttpWaitStrategy(2113, "/health/live")) as address:
            yield Server(f"esdb://{address}?tls=false", f"a container of {EVENTSTORE_IMAGE}")
    else:
        with EventStoreProcess(None) as process:
            yield Server(process.uri, "the embedded event store, in memory")


@contextmanager
def redis(named: str | None) -> Iterator[Server]:
    """The Redis of a run."""
    if named:
        yield Server(named, f"the Redis at {_without_password(named)}")
    elif docker_answers():
        with _container(REDIS_IMAGE, 6379, {}, LogMessageWaitStrategy("Ready to accept connections")) as address:
            yield Server(f"redis://{address}/0", f"a container of {REDIS_IMAGE}")
    else:
        process = RedisProcess().start()
        try:
            yield Server(process.uri, "the embedded Redis")
        finally:
            process.close()


_EVENTSTORE: Final = {
    "EVENTSTORE_INSECURE": "true",
    "EVENTSTORE_MEM_DB": "true",
    "EVENTSTORE_RUN_PROJECTIONS": "All",
    "EVENTSTORE_START_STANDARD_PROJECTIONS": "true",
}


@contextmanager
def _container(image: str, port: int, environment: Mapping[str, str], until: Any) -> Iterator[str]:
    container = DockerContainer(image).with_exposed_ports(port).waiting_for(until)
    for name, value in environment.items():
        container = container.with_env(name, value)
    with container as running:
        yield f"{running.get_container_host_ip()}:{running.get_exposed_port(port)}"


@cache
def docker_answers() -> bool:
    """Whether a Docker engine runs here."""
    return _answers(docker.from_env)


def _answers(connect: Callable[[], Any]) -> bool:
    try:
        client = connect()
        try:
            return bool(client.ping())
        finally:
            client.close()
    except DockerException:
        return False


def _without_password(uri: str) -> str:
    """The URI without user and password."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
