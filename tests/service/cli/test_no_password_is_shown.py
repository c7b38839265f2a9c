"""The password of neither URI is shown, however connecting fails, and whether an option or a variable gave it."""

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Final

import pytest

from tests.support.commands import Command, ran
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.redis import RedisProcess

SECRET: Final = "s3cret"
STORE: Final = f"esdb://ada:{SECRET}@127.0.0.1:1?tls=false"
VARIABLES: Final = {"--eventstore": "FOLDSTREAM_EVENTSTORE_URI", "--redis": "FOLDSTREAM_REDIS_URI"}
STORES: Final = {
    "refused": STORE,
    "unknown host": f"esdb://ada:{SECRET}@nowhere.invalid:2113?tls=false",
    "undiscovered": f"esdb+discover://ada:{SECRET}@nowhere.invalid:2113?maxDiscoverAttempts=1",
    "no TLS": f"esdb://ada:{SECRET}@127.0.0.1:{{closing}}",
    "unknown option": f"esdb://ada:{SECRET}@127.0.0.1?nosuch=1",
    "unencoded": f"esdb://ada:{SECRET}@x@127.0.0.1?tls=false",
    "no host": f"esdb://ada:{SECRET}@?tls=false",
    "another form": f"http://ada:{SECRET}@127.0.0.1",
}
REDISES: Final = {
    "refused": f"redis://ada:{SECRET}@127.0.0.1:1/0",
    "refused, as an option": f"redis://127.0.0.1:1/0?password={SECRET}",
    "unknown host": f"redis://:{SECRET}@nowhere.invalid:6379/0",
    "wrong password": f"unix://ada:{SECRET}@{{redis}}",
    "no TLS": f"rediss://ada:{SECRET}@127.0.0.1:{{closing}}/0",
    "unknown option": f"redis://ada:{SECRET}@127.0.0.1/0?nosuch=1",
    "not a database": f"redis://ada:{SECRET}@127.0.0.1/first",
}


@pytest.fixture(scope="module")
def places() -> Iterator[Mapping[str, str]]:
    """A Redis and an event store without users, and a port that closes every connection."""
    with (
        EventStoreProcess(None) as store,
        closing(RedisProcess().start()) as redis,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        threading.Thread(target=close_all, args=(server,), daemon=True).start()
        yield {
            "store": store.uri.removeprefix("esdb://"),
            "redis": redis.uri.removeprefix("unix://"),
            "closing": str(server.getsockname()[1]),
        }


def close_all(server: socket.socket) -> None:
    try:
        while True:
            server.accept()[0].close()
    except OSError:  # the server was closed
        return


def named(uris: Mapping[str, str], *, by_option: bool) -> tuple[Sequence[str], Mapping[str, str]]:
    """The options of a command, and its variables."""
    if by_option:
        return [part for pair in uris.items() for part in pair], {}
    return (), {VARIABLES[name]: uri for name, uri in uris.items()}


def started(verb: Sequence[str], uris: Mapping[str, str], *, by_option: bool) -> Listened:
    options, variables = named(uris, by_option=by_option)
    return Listened((*FOLDSTREAM, *verb, *options), variables)


def asked(verb: Sequence[str], uris: Mapping[str, str], *, by_option: bool) -> Command:
    options, variables = named(uris, by_option=by_option)
    return Command((*verb, *options), variables)


@pytest.mark.parametrize("by_option", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_not_that_of_the_event_store(places: Mapping[str, str], by_option: bool) -> None:
    verb = ("history", "order-0")
    uris = {name: uri.format(**places) for name, uri in STORES.items()}
    running = {name: asked(verb, {"--eventstore": uri}, by_option=by_option) for name, uri in uris.items()}
    for name, command in running.items():
        ended = command.wait(60)
        assert ended.code in {1, 2}, name
        assert (ended.output, len(ended.errors)) == ([], 1), name
        assert SECRET not in ended.errors[0], name


@pytest.mark.parametrize("by_option", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_not_that_of_redis(places: Mapping[str, str], by_option: bool) -> None:
    store = f"esdb://ada:{SECRET}@{places['store']}"
    uris = {name: {"--eventstore": store, "--redis": uri.format(**places)} for name, uri in REDISES.items()}
    running = {name: started(("projections",), given, by_option=by_option) for name, given in uris.items()}
    try:
        for name, process in running.items():
            poll_until(partial(complaint, process), seconds=60, what=f"a complaint: {name}")
    finally:
        for process in running.values():
            process.kill()
    assert [name for name, process in running.items() if SECRET in "".join([*process.output, *process.errors])] == []


def complaint(process: Listened) -> str | None:
    """A line about Redis, or that in which it refused to start."""
    about = ('"redis"', "redis:", "projections: ", "--redis", "REDIS_URI", "redis_")
    return next((line for line in process.errors if any(word in line for word in about)), None)


@pytest.mark.parametrize("before", ["", "x y ", "@"])
def test_not_that_of_a_uri_in_the_wrong_place(before: str) -> None:
    uri = STORE.replace(SECRET, f"{before}{SECRET}")
    for words in (("schema", "list", uri), ("history", "order-0", uri), (uri,)):
        code, _, [line] = ran(*words)
        assert code in {1, 2}
        assert "esdb://…@127.0.0.1:1?tls=false" in line
        assert SECRET not in line
