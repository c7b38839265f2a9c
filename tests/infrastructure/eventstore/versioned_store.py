"""A store that says no more than who leads it and which version it is."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import grpc
from esdbclient.protos.Grpc import gossip_pb2

_GOSSIP: Final = "/event_store.client.gossip.Gossip/Read"
_FEATURES: Final = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods"
_VERSION_FIELD: Final = b"\x12"


class _Answers(grpc.GenericRpcHandler):
    """By the paths of calls; whatever else is called is unknown."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        answer = self.known.get(handler_call_details.method)
        return None if answer is None else grpc.unary_unary_rpc_method_handler(_always(answer))


def _always(answer: bytes) -> Callable[[object, grpc.ServicerContext], bytes]:
    return lambda _request, _context: answer


@contextmanager
def store_of_version(version: str | None) -> Iterator[str]:
    """The URI of one of that version; None: it does not tell."""
    answers, server = _Answers(), grpc.server(ThreadPoolExecutor(2))
    port = server.add_insecure_port("127.0.0.1:0")
    leader = gossip_pb2.MemberInfo(state=gossip_pb2.MemberInfo.Leader, is_alive=True)
    leader.http_end_point.address, leader.http_end_point.port = "127.0.0.1", port
    answers.known[_GOSSIP] = gossip_pb2.ClusterInfo(members=[leader]).SerializeToString()
    if version is not None:
        answers.known[_FEATURES] = _VERSION_FIELD + bytes([len(version)]) + version.encode()
    server.add_generic_rpc_handlers((answers,))
    server.start()
    try:
        yield f"esdb://127.0.0.1:{port}?tls=false"
    finally:
        server.stop(0).wait()
