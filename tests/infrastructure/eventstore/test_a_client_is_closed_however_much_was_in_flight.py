"""Closing a client ends, also where its event loop was blocked while hundreds of calls were answered."""

import sys

from tests.support.processes import Listened


def test_a_client_is_closed_though_its_loop_stood_still(eventstore_uri: str) -> None:
    process = Listened((sys.executable, "-m", "tests.infrastructure.eventstore.closing", eventstore_uri), {})
    try:
        assert (process.wait(within=30), process.errors) == (0, [])
    finally:
        process.kill()
