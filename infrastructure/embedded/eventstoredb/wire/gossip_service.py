"""The Gossip service: this node is all there is, and it leads."""

import time
from collections.abc import Mapping
from uuid import uuid4

from esdbclient.protos.Grpc import gossip_pb2, shared_pb2
from grpclib.const import Cardinality, Handler

from infrastructure.embedded.eventstoredb.storage.frames import encode_id
from infrastructure.embedded.eventstoredb.wire.calls import Call, Calls


class GossipService:
    """For a node that clients reach at this address."""

    def __init__(self, host: str, port: int, calls: Calls) -> None:
        self._end_point = gossip_pb2.EndPoint(address=host, port=port)
        self._instance, self._calls = encode_id(uuid4(), structured=True), calls

    def __mapping__(self) -> Mapping[str, Handler]:
        unary, answer, gossip = Cardinality.UNARY_UNARY, gossip_pb2.ClusterInfo, self._gossip
        method = self._calls.handler(gossip, unary, shared_pb2.Empty, answer, denied=gossip)
        return {"/event_store.client.gossip.Gossip/Read": method}

    async def _gossip(self, call: Call[shared_pb2.Empty]) -> None:
        await call.receive()
        member = gossip_pb2.MemberInfo(
            instance_id=self._instance,
            time_stamp=time.time_ns() // 100,
            state=gossip_pb2.MemberInfo.VNodeState.Leader,
            is_alive=True,
            http_end_point=self._end_point,
        )
        await call.send(gossip_pb2.ClusterInfo(members=[member]))
