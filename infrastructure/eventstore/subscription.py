"""A catch-up subscription as frames, made of the client's messages."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import grpc
from esdbclient.exceptions import CancelledByClient
from esdbclient.protos.Grpc.streams_pb2 import ReadResp
from esdbclient.streams import CatchupSubscription

from infrastructure.eventstore.call_messages import messages_of
from infrastructure.eventstore.client import translated
from infrastructure.eventstore.frames import CaughtUp, CheckpointReached, RawFrame


class Subscription:
    """Frames as they come, until it is stopped. Raises StoreUnavailable where it is lost."""

    def __init__(self, address: str, subscription: Any) -> None:
        self._address: Final = address
        self._subscription: Final[CatchupSubscription] = subscription

    def __iter__(self) -> Iterator[RawFrame]:
        """Records are handed on as they are sent: what is needed of them is read off the message."""
        with translated(self._address), suppress(CancelledByClient):
            for message in self._messages():
                if message.HasField("event"):
                    yield message.event
                elif (frame := _control_frame(message)) is not None:
                    yield frame

    def _messages(self) -> Iterator[ReadResp]:
        try:
            yield from messages_of(self._subscription._read_resps)
        except grpc.RpcError as error:
            raise self._subscription._handle_stream_read_rpc_error(error) from None

    def stop(self) -> None:
        """Ends it; another thread may call this."""
        self._subscription.stop()


def _control_frame(message: ReadResp) -> CheckpointReached | CaughtUp | None:
    """None for what later servers say besides, such as that a reader falls behind."""
    match message.WhichOneof("content"):
        case "checkpoint":
            return CheckpointReached(message.checkpoint.commit_position)
        case "caught_up":
            return CaughtUp()
        case _:
            return None
