"""Asks an event store which version it is, by the call that clients in other languages make first."""

from collections.abc import Iterator
from typing import Final

import grpc

from infrastructure.eventstore.client import CommandClient, connection_of

_PATH: Final = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods"
_VERSION_FIELD: Final = 2
_SECONDS: Final = 5.0


async def server_version(client: CommandClient) -> str | None:
    """The version, such as 24.10.4; None where the store does not tell one. Raises StoreUnavailable if closed."""
    ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = connection_of(client)._grpc_channel.unary_unary(_PATH)
    try:
        answer: bytes = await ask(b"", timeout=_SECONDS, credentials=client._call_credentials)
    except grpc.aio.AioRpcError:
        return None
    found = [value for field, value in _fields(answer) if field == _VERSION_FIELD]
    return found[-1].decode("utf-8", "replace") if found else None


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a protobuf message up to the first that is no text or message: this one's answer has no others."""
    place = 0
    while place < len(message):
        tag, place = _number(message, place)
        if tag & 7 != 2:
            return
        length, place = _number(message, place)
        yield tag >> 3, message[place : place + length]
        place += length


def _number(message: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, and the place after it."""
    number = shift = 0
    while place < len(message):
        byte = message[place]
        number, shift, place = number | (byte & 127) << shift, shift + 7, place + 1
        if byte < 128:
            break
    return number, place
