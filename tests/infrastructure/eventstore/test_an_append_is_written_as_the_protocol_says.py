"""The bytes of an append are those of the protocol's own message, whatever its sizes."""

from uuid import UUID

from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.eventstore.append_messages import FreshIds, append_message
from infrastructure.eventstore.record import NewRecord

SIZES = st.sampled_from((0, 1, 126, 127, 128, 129, 16_383, 16_384, 70_000))
RECORDS = st.builds(
    lambda kind, data, metadata, content_type: NewRecord(kind, b"d" * data, b"m" * metadata, content_type),
    st.text(max_size=300),
    SIZES,
    SIZES,
    st.sampled_from(("application/json", "application/octet-stream")),
)
VERSIONS = st.one_of(st.integers(-1, 300), st.sampled_from((2**31, 2**62)))


def by_the_generated_class(
    correlation_id: str, ids: list[str], stream: str, version: int, records: list[NewRecord]
) -> BatchAppendReq:
    request = BatchAppendReq(is_final=True)
    request.correlation_id.string = correlation_id
    request.options.stream_identifier.stream_name = stream.encode()
    request.options.deadline.seconds, request.options.deadline.nanos = 2, 500_000_000
    if version < 0:
        request.options.no_stream.SetInParent()
    else:
        request.options.stream_position = version
    for own_id, record in zip(ids, records, strict=True):
        proposed = request.proposed_messages.add(data=record.data, custom_metadata=record.metadata)
        proposed.id.string = own_id
        proposed.metadata["type"] = record.type
        proposed.metadata["content-type"] = record.content_type
    return request


@given(st.text(min_size=1, max_size=300), VERSIONS, st.lists(RECORDS, max_size=4))
def test_it_reads_as_what_was_meant(stream: str, version: int, records: list[NewRecord]) -> None:
    message = append_message(FreshIds(), stream, version, records, 2.5)
    read = BatchAppendReq.FromString(message.request)
    ids = [proposed.id.string for proposed in read.proposed_messages]
    assert read == by_the_generated_class(message.correlation_id, ids, stream, version, records)
    assert ids[-1:] == [message.last_id][: len(records)]


def test_no_id_is_drawn_twice() -> None:
    drawn = [source.draw() for source in (FreshIds(), FreshIds()) for _ in range(100)]
    assert len(set(drawn)) == 200
    assert {str(UUID(each)) for each in drawn} == set(drawn)
