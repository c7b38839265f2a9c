"""The embedded Redis for the bench, on an empty folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from bench.child import Child


@contextmanager
def redis_server() -> Iterator[str]:
    """The URI of a server, while the block lasts. Raises ChildRefused."""
    with TemporaryDirectory(prefix="foldstream-bench-") as folder:
        child = Child("redis", "--data", folder)
        try:
            yield child.uri
        finally:
            child.stop()
