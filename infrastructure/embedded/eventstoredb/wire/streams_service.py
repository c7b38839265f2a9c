"""The Streams service: which method answers which call."""

from collections.abc import Mapping

from esdbclient.protos.Grpc import streams_pb2
from grpclib.const import Cardinality, Handler

from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.wire.append import appender
from infrastructure.embedded.eventstoredb.wire.batch_append import batch_appender, deny_batches
from infrastructure.embedded.eventstoredb.wire.calls import Calls
from infrastructure.embedded.eventstoredb.wire.delete import deleter
from infrastructure.embedded.eventstoredb.wire.read import reader

_PREFIX = "/event_store.client.streams.Streams"


class StreamsService:
    """Given to the server, which asks for its table of methods."""

    def __init__(self, log: EventLog, calls: Calls) -> None:
        self._log, self._calls = log, calls

    def __mapping__(self) -> Mapping[str, Handler]:
        log, handler, pb = self._log, self._calls.handler, streams_pb2
        delete = deleter(log.delete, pb.DeleteResp)
        tombstone = deleter(log.tombstone, pb.TombstoneResp)
        streaming, unary = Cardinality.UNARY_STREAM, Cardinality.UNARY_UNARY
        return {
            f"{_PREFIX}/Read": handler(reader(log), streaming, pb.ReadReq, pb.ReadResp),
            f"{_PREFIX}/Append": handler(appender(log), Cardinality.STREAM_UNARY, pb.AppendReq, pb.AppendResp),
            f"{_PREFIX}/BatchAppend": handler(
                batch_appender(log),
                Cardinality.STREAM_STREAM,
                pb.BatchAppendReq,
                pb.BatchAppendResp,
                denied=deny_batches,
            ),
            f"{_PREFIX}/Delete": handler(delete, unary, pb.DeleteReq, pb.DeleteResp),
            f"{_PREFIX}/Tombstone": handler(tombstone, unary, pb.TombstoneReq, pb.TombstoneResp),
        }
