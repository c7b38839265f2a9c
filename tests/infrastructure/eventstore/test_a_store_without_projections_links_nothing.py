"""A store that does not implement the calls about projections is one whose projections do not run."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import grpc
import pytest
from esdbclient import EventStoreDBClient
from esdbclient.exceptions import EventStoreDBClientException

from infrastructure.eventstore.log_reader import open_reader


def test_an_unimplemented_call_is_taken_for_projections_that_are_off() -> None:
    node = grpc.server(ThreadPoolExecutor(2))  # it answers UNIMPLEMENTED to every call
    port = node.add_insecure_port("127.0.0.1:0")
    node.start()
    uri = f"esdb://127.0.0.1:{port}?tls=false"
    try:
        with EventStoreDBClient(uri) as client, pytest.raises(EventStoreDBClientException, match="UNIMPLEMENTED"):
            client.get_projection_statistics(name="$by_correlation_id", timeout=10)
        with open_reader(uri) as reader:
            assert reader.linked(uuid4(), 10) is None
    finally:
        node.stop(None).wait(5)
