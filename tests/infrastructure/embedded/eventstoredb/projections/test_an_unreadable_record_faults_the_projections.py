"""A record that can't be read: the projections say so and wait, the server goes on."""

import sqlite3
from pathlib import Path

import grpc
from esdbclient import EventStoreDBClient
from esdbclient.protos.Grpc import shared_pb2
from esdbclient.protos.Grpc.projections_pb2_grpc import ProjectionsStub

from tests.infrastructure.embedded.eventstoredb.projections.linked import append, event, links, settle
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until


def exchange(folder: Path, position: int, frame: bytes) -> bytes:
    """Puts other bytes into a record of the log; those that were there."""
    with sqlite3.connect(folder / "events.db") as log:
        (before,) = log.execute("SELECT frame FROM records WHERE position = ?", (position,)).fetchone()
        log.execute("UPDATE records SET frame = ? WHERE position = ?", (frame, position))
    log.close()
    return bytes(before)


def restart_subsystem(process: EventStoreProcess) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{process.port}") as channel:
        calls = ProjectionsStub(channel)  # type: ignore[no-untyped-call]  # generated without annotations
        calls.RestartSubsystem(shared_pb2.Empty(), timeout=10)


def test_projections_that_meet_a_damaged_record_are_faulted_until_it_is_whole_again(folder: Path) -> None:
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            append(client, "order-1", event("T"))
            position = append(client, "order-1", event("T"))
        assert process.stop() == 0
        whole = exchange(folder, position, bytes(5))
        process.start()
        with EventStoreDBClient(process.uri) as client:
            client.enable_projection("$by_category")
            client.enable_projection("$by_event_type")

            def told() -> tuple[str, bool]:
                statistics = client.get_projection_statistics(name="$by_category")
                return statistics.status, statistics.state_reason != ""

            poll_until(lambda: told() == ("Faulted", True), seconds=10, what="the fault")
            append(client, "order-2", event("T"))
            exchange(folder, position, whole)
            restart_subsystem(process)
            settle(client)
            assert told() == ("Running", False)
            assert links(client, "$ce-order") == ["0@order-1", "1@order-1", "0@order-2"]
