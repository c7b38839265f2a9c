"""Reads the names of streams and groups that calls carry, none of them so long that keeping it would cost memory."""

from esdbclient.protos.Grpc import shared_pb2

from infrastructure.embedded.eventstoredb.errors import BeyondLimit

# Some hundred times what anybody calls a stream; it is repeated in each of its events.
MOST_NAME_BYTES = 16 * 1024


def text_of(identifier: shared_pb2.StreamIdentifier) -> str:
    """The name of a stream, with U+FFFD for what is no text. Raises BeyondLimit."""
    _check("stream", len(identifier.stream_name))
    return identifier.stream_name.decode(errors="replace")


def group_name(name: str) -> str:
    """The same name. Raises BeyondLimit."""
    _check("group", len(name.encode()))
    return name


def _check(kind: str, size: int) -> None:
    if size > MOST_NAME_BYTES:
        raise BeyondLimit(f"The name of a {kind} has at most {MOST_NAME_BYTES} bytes, not {size}.")
