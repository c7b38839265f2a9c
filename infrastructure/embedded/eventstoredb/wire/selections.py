"""Reads which events of $all a call selects."""

from esdbclient.protos.Grpc import persistent_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.filters.selection import Selection
from infrastructure.embedded.eventstoredb.wire.calls import thrown_by_handler

FilterOptions = streams_pb2.ReadReq.Options.FilterOptions | persistent_pb2.CreateReq.AllOptions.FilterOptions


def selection_of(options: FilterOptions) -> Selection:
    """Raises Failure for options that name neither event types nor streams."""
    kind = options.WhichOneof("filter")
    if kind is None:
        raise thrown_by_handler()
    by_stream = kind == "stream_identifier"
    expression = options.stream_identifier if by_stream else options.event_type
    return Selection(by_stream, expression.regex, tuple(expression.prefix))
