"""One batch of a BatchAppend call, while it comes in."""

import asyncio
import time

from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb.wire.names import MOST_NAME_BYTES
from infrastructure.embedded.eventstoredb.wire.proposals import (
    BadProposal,
    Proposal,
    expected_version,
    stream_name,
)

BatchReq = streams_pb2.BatchAppendReq
_WRITE_TIMEOUT_SECONDS = 2.0


class Batch:
    """A write whose events may still be coming in; `key` stands for its correlation id."""

    def __init__(self, key: bytes, first: BatchReq) -> None:
        self.key = key
        self.correlation = first.correlation_id
        self.options = first.options
        self.stream = first.options.stream_identifier.stream_name[:MOST_NAME_BYTES]
        self.proposal = Proposal(len(self.stream))
        self.deadline: asyncio.TimerHandle | None = None
        self.counted_bytes = 0  # among what is unfinished on its call

    @property
    def held_bytes(self) -> int:
        """How much memory it takes, about."""
        return self.proposal.held_bytes + len(self.stream)

    def target(self) -> tuple[str, int]:
        """The stream and the expected version. Raises BadProposal or BeyondLimit."""
        options = self.options
        expected = expected_version(options.WhichOneof("expected_stream_position"), options.stream_position)
        if expected is None:
            raise BadProposal("no expected stream position")
        return stream_name(options.stream_identifier), expected

    def add(self, request: BatchReq) -> None:
        """Raises a LogError when one of the events can't be written."""
        for message in request.proposed_messages:
            self.proposal.add(message)

    def seconds_left(self) -> float:
        """How long the rest of a batch may take to arrive."""
        options = self.options
        kind = options.WhichOneof("deadline_option")
        if kind == "deadline":
            return min(options.deadline.seconds + options.deadline.nanos / 1e9, _WRITE_TIMEOUT_SECONDS)
        if kind == "deadline_21_10_0":
            until = options.deadline_21_10_0
            return min(until.seconds + until.nanos / 1e9 - time.time(), _WRITE_TIMEOUT_SECONDS)
        return _WRITE_TIMEOUT_SECONDS
