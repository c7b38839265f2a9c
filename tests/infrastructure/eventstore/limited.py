"""A proxy before an event store: it ends each call on which a message is larger than it takes, as gRPC's servers do."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import grpc

from tests.infrastructure.eventstore.silent_store import running


class _Forwarding(grpc.GenericRpcHandler):
    """Sends every call on, whatever it is, and its answers back."""

    def __init__(self, store: grpc.Channel) -> None:
        self._store = store

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        return grpc.stream_stream_rpc_method_handler(partial(self._forward, handler_call_details.method))

    def _forward(self, method: str, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        ask: grpc.StreamStreamMultiCallable[bytes, bytes] = self._store.stream_stream(method)
        forwarded = ask(requests, metadata=context.invocation_metadata())
        context.add_callback(forwarded.cancel)  # type: ignore[arg-type]  # what it returns is of no interest
        try:
            yield from forwarded
        except grpc.RpcError:
            context.set_trailing_metadata(forwarded.trailing_metadata())
            context.abort(forwarded.code(), forwarded.details())


@contextmanager
def limited(uri: str, most: int) -> Iterator[str]:
    """The URI of a proxy before the store at `uri` that takes messages of so many bytes."""
    store = urlsplit(uri)
    with (
        grpc.insecure_channel(f"{store.hostname}:{store.port}") as channel,
        running(_Forwarding(channel), ("grpc.max_receive_message_length", most)) as through,
    ):
        yield through
