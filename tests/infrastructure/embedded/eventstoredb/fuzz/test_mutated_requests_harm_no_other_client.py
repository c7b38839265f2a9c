"""Broken connections and broken messages: whoever sends them may be cut off, the others notice nothing."""

import random
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import grpc
import pytest

from tests.infrastructure.embedded.eventstoredb.fuzz.canary import Canary
from tests.infrastructure.embedded.eventstoredb.fuzz.mutation import calls, connections, mutated
from tests.support.eventstore import EventStoreProcess, resident_bytes

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
AT_ONCE = 25
CALL_SECONDS = 0.3
MAX_GROWTH_BYTES = 60_000_000
MAX_WAIT_SECONDS = 3.0
# What the server logs where an error was not expected at all, and not just a client's connection broken.
UNFORESEEN = ("call_failed", "critical", "group_failed", "_TimeIsUp")


def throw_connections(port: int, chance: random.Random) -> None:
    """Opens several, writes to each, and waits until the server has let go of all."""
    seeds = connections()
    opened = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(AT_ONCE)]
    for connection in opened:
        beginning = PREFACE if chance.random() < 0.9 else mutated(PREFACE, seeds, chance)
        with suppress(ConnectionError):
            connection.sendall(beginning + mutated(chance.choice(seeds), seeds, chance))
            connection.shutdown(socket.SHUT_WR)
    for connection in opened:
        with connection, suppress(ConnectionError):
            while connection.recv(65536):
                pass


def throw_calls(port: int, chance: random.Random, count: int) -> None:
    """Makes calls whose requests are mutated; each ends by itself or by its deadline."""
    seeds = calls()
    messages = [message for _, requests in seeds for message in requests]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in range(count):
            path, requests = chance.choice(seeds)
            threads.submit(throw, channel, path, [mutated(each, messages, chance) for each in requests])


def throw(channel: grpc.Channel, path: str, requests: list[bytes]) -> None:
    call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(path)
    with suppress(grpc.RpcError):
        for _ in call(iter(requests), timeout=CALL_SECONDS):
            pass


@pytest.mark.parametrize(
    ("connection_count", "call_count", "seed"),
    [
        (300, 500, 7),
        *[
            pytest.param(5000, 10_000, seed, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])
            for seed in range(100, 110)
        ],
    ],
)
def test_mutations_harm_nobody_else(connection_count: int, call_count: int, seed: int) -> None:
    chance = random.Random(seed)
    with EventStoreProcess(None) as process, Canary(process.uri) as canary:
        before = resident_bytes(process)
        for _ in range(connection_count // AT_ONCE):
            throw_connections(process.port, chance)
        throw_calls(process.port, chance, call_count)
        assert process.is_running()
        assert resident_bytes(process) - before < MAX_GROWTH_BYTES
    assert [line for line in process.errors.splitlines() if any(word in line for word in UNFORESEEN)] == []
    assert canary.singing > 10
    assert canary.longest < MAX_WAIT_SECONDS
