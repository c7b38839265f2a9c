"""Replies taken from the library's parser: in order, with refusals among them and without what nobody asked for."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from hiredis import pack_command

from infrastructure.readmodels.replies import read_replies


@pytest.fixture
def talking(connection: redis.Redis) -> Iterator[Any]:
    """A connection of the library."""
    pool: Any = connection.connection_pool
    talking = pool.get_connection()
    yield talking
    talking.disconnect()
    pool.release(talking)


def ask(talking: Any, *commands: tuple[str, ...]) -> None:
    """Sends them together, so that their replies come together."""
    packed = b"".join(pack_command(command) for command in commands)  # type: ignore[arg-type]  # its stub says a tuple of one
    talking.send_packed_command([packed])


def test_as_many_as_were_asked_for_come_in_order(talking: Any) -> None:
    number = 20_000  # more than the parser is fed at once
    ask(talking, *(("ECHO", str(each)) for each in range(number)))
    assert read_replies(talking, number) == [str(each).encode() for each in range(number)]


def test_a_refusal_is_one_of_them(talking: Any) -> None:
    ask(talking, ("ECHO", "first"), ("NO-SUCH-COMMAND",), ("ECHO", "last"))
    first, refusal, last = read_replies(talking, 3)
    assert (first, last) == (b"first", b"last")
    assert isinstance(refusal, redis.ResponseError)


def test_what_the_server_tells_unasked_is_none_of_them(talking: Any) -> None:
    """As that a key has changed which was read before: it stands between the replies."""
    key = f"told:{uuid4()}"
    ask(talking, ("CLIENT", "TRACKING", "ON"), ("GET", key), ("SET", key, "1"), ("ECHO", "last"), ("DEL", key))
    assert read_replies(talking, 5) == [b"OK", None, b"OK", b"last", 1]
    talking.send_command("CLIENT", "TRACKING", "OFF")
    assert read_replies(talking, 1) == [b"OK"]


def test_a_connection_that_ends_is_no_reply(talking: Any, connection: redis.Redis) -> None:
    ask(talking, ("CLIENT", "ID"))
    [number] = read_replies(talking, 1)
    ask(talking, ("ECHO", "first"))
    connection.client_kill_filter(_id=str(number))
    with pytest.raises(redis.ConnectionError):
        read_replies(talking, 2)
