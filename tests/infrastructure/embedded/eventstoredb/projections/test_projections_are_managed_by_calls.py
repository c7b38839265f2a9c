"""The calls that manage projections."""

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from esdbclient import EventStoreDBClient, StreamState
from esdbclient.exceptions import AlreadyExists, GrpcError, NotFound, OperationFailed
from esdbclient.protos.Grpc import projections_pb2, shared_pb2
from esdbclient.protos.Grpc.projections_pb2_grpc import ProjectionsStub

from tests.infrastructure.embedded.eventstoredb.projections.linked import (
    ALL,
    append,
    enable,
    event,
    links,
    read,
    settle,
)
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

QUERY = "fromAll().when({})"


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[EventStoreProcess]:
    with EventStoreProcess(tmp_path / "data") as process:
        yield process


@pytest.fixture
def own(durable: EventStoreProcess) -> Iterator[EventStoreDBClient]:
    """A client of a server that no other test uses: its projections are stopped."""
    with EventStoreDBClient(durable.uri) as connected:
        yield connected


@pytest.fixture
def calls(durable: EventStoreProcess) -> Iterator[ProjectionsStub]:
    yield from connected(durable)


@pytest.fixture
def shared_calls(store: EventStoreProcess) -> Iterator[ProjectionsStub]:
    """For calls that change nothing."""
    yield from connected(store)


def connected(process: EventStoreProcess) -> Iterator[ProjectionsStub]:
    with grpc.insecure_channel(f"127.0.0.1:{process.port}") as channel:
        yield ProjectionsStub(channel)  # type: ignore[no-untyped-call]  # generated without annotations


def statuses(client: EventStoreDBClient) -> list[str]:
    return [client.get_projection_statistics(name=name).status for name in ALL]


def refusal(call: Callable[..., object], request: object) -> tuple[grpc.StatusCode, str | None]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=10)
    return caught.value.code(), caught.value.details()


def test_in_a_new_log_all_are_stopped(own: EventStoreDBClient) -> None:
    assert statuses(own) == ["Stopped"] * 5


def test_a_projection_that_is_enabled_links_what_was_there_before(own: EventStoreDBClient) -> None:
    append(own, "order-1", *[event("T") for _ in range(200)])
    enable(own, "$by_category", "$by_event_type")
    settle(own)
    assert links(own, "$ce-order") == [f"{number}@order-1" for number in range(200)]
    assert statuses(own) == ["Running", "Running", "Stopped", "Stopped", "Stopped"]
    assert read(own, "$streams") == ()


def test_a_projection_that_is_disabled_goes_on_where_it_was(own: EventStoreDBClient) -> None:
    enable(own)
    append(own, "order-1", event("T"))
    settle(own)
    own.disable_projection("$by_category")
    append(own, "order-1", event("T"), event("T"))
    settle(own)
    assert links(own, "$ce-order") == ["0@order-1"]
    own.enable_projection("$by_category")
    poll_until(lambda: len(links(own, "$ce-order")) >= 3, seconds=10, what="the links of the time between")
    settle(own)
    assert links(own, "$ce-order") == ["0@order-1", "1@order-1", "2@order-1"]


def test_a_reset_makes_all_links_anew_and_hides_the_old_ones(own: EventStoreDBClient) -> None:
    enable(own)
    append(own, "order-1", event("T"), event("T"))
    settle(own)
    own.reset_projection("$by_category")
    append(own, "order-1", event("T"))
    poll_until(lambda: own.get_current_version("$ce-order") == 4, seconds=10, what="all links again")
    settle(own)
    assert [(each.stream_position, each.data) for each in read(own, "$ce-order")] == [
        (2, b"0@order-1"), (3, b"1@order-1"), (4, b"2@order-1"),
    ]  # fmt: skip
    assert own.get_stream_metadata("$ce-order") == ({"$tb": 2, "$acl": {"$r": "$all", "$mr": "$all"}}, 1)
    assert links(own, "$et-T") == ["0@order-1", "1@order-1", "2@order-1"]


def test_what_runs_and_what_is_stopped_outlives_a_kill(durable: EventStoreProcess) -> None:
    with EventStoreDBClient(durable.uri) as client:
        enable(client)
        client.disable_projection("$streams")
        durable.kill()
    durable.start()
    with EventStoreDBClient(durable.uri) as client:
        assert statuses(client) == ["Running", "Running", "Running", "Stopped", "Running"]


def test_statistics_tell_of_one_or_of_all(own: EventStoreDBClient, calls: ProjectionsStub) -> None:
    enable(own)
    append(own, "order-1", *[event("T") for _ in range(50)])
    settle(own)
    poll_until(lambda: own.get_projection_statistics(name="$streams").progress == 100, seconds=10, what="the end")
    options = projections_pb2.StatisticsReq.Options
    asked = [options(name="$streams"), options(all=shared_pb2.Empty()), options(transient=shared_pb2.Empty())]
    told = [[r.details for r in calls.Statistics(projections_pb2.StatisticsReq(options=each))] for each in asked]
    assert [[each.name for each in some] for some in told] == [["$streams"], list(ALL), []]
    (one,) = told[0]
    end = own.get_commit_position(filter_exclude=())
    assert (one.mode, one.position, one.lastCheckpoint) == ("Continuous", f"C:{end}/P:{end}", f"C:{end}/P:{end}")
    assert (one.effectiveName, one.eventsProcessedAfterRestart, one.stateReason) == ("$streams", 51, "")


def test_the_state_of_a_system_projection_is_empty(client: EventStoreDBClient) -> None:
    assert client.get_projection_state("$by_category").value == {}


def test_a_projection_that_is_not_there_is_not_found(client: EventStoreDBClient) -> None:
    for call in (
        client.enable_projection, client.disable_projection, client.reset_projection, client.delete_projection,
        client.get_projection_state, lambda name: client.update_projection(name, query=QUERY),
        lambda name: client.get_projection_statistics(name=name),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            call("nobody")


def test_projections_in_javascript_are_declined_in_a_sentence(
    shared_calls: ProjectionsStub, client: EventStoreDBClient
) -> None:
    options = projections_pb2.CreateReq.Options
    request = projections_pb2.CreateReq(options=options(continuous=options.Continuous(name="mine"), query=QUERY))
    sentence = "This server runs the system projections only: those in JavaScript need a real EventStoreDB."
    assert refusal(shared_calls.Create, request) == (grpc.StatusCode.UNIMPLEMENTED, sentence)
    with pytest.raises(AlreadyExists):
        client.create_projection(name="$by_category", query=QUERY)


def test_system_projections_stay_as_they_are(calls: ProjectionsStub, own: EventStoreDBClient) -> None:
    own.enable_projection("$streams")
    with pytest.raises(OperationFailed):
        own.delete_projection("$streams")
    own.disable_projection("$streams")
    pb = projections_pb2
    fixed = "A system projection can't be changed or deleted on this server; it can be disabled."
    assert [
        refusal(calls.Delete, pb.DeleteReq(options=pb.DeleteReq.Options(name="$streams"))),
        refusal(calls.Update, pb.UpdateReq(options=pb.UpdateReq.Options(name="$streams", query=QUERY))),
        refusal(calls.Result, pb.ResultReq(options=pb.ResultReq.Options(name="$streams"))),
    ] == [
        (grpc.StatusCode.UNIMPLEMENTED, fixed),
        (grpc.StatusCode.UNIMPLEMENTED, fixed),
        (grpc.StatusCode.UNIMPLEMENTED, "A system projection has no result: it writes links."),
    ]


def test_after_a_restart_of_the_subsystem_links_go_on(own: EventStoreDBClient, calls: ProjectionsStub) -> None:
    enable(own)
    append(own, "order-1", event("T"))
    calls.RestartSubsystem(shared_pb2.Empty(), timeout=10)
    append(own, "order-1", event("T"))
    settle(own)
    assert links(own, "$ce-order") == ["0@order-1", "1@order-1"]
    assert statuses(own) == ["Running"] * 5


@pytest.mark.parametrize(("option", "status"), [("--projections", "Running"), ("--no-projections", "Stopped")])
def test_an_option_starts_or_stops_all_of_them(tmp_path: Path, option: str, status: str) -> None:
    data = tmp_path / "data"
    with EventStoreProcess(data) as before, EventStoreDBClient(before.uri) as client:
        enable(client, "$streams")
    process = Listened((*FOLDSTREAM, "eventstore", "--port", "0", "--data", str(data), option), {})
    try:
        uri = process.line("eventstore_ready ", within=30).split()[1].removeprefix("uri=")
        with EventStoreDBClient(uri) as client:
            assert statuses(client) == [status] * 5
    finally:
        process.kill()


def test_a_projection_can_be_switched_while_events_come(own: EventStoreDBClient) -> None:
    for number in range(30):
        append(own, "order-1", *[event("T") for _ in range(10)])
        (own.disable_projection if number % 2 else own.enable_projection)("$by_category")
    enable(own)
    settle(own)
    assert links(own, "$ce-order") == [f"{number}@order-1" for number in range(300)]


def test_an_unfinished_request_ends_with_an_error_and_nothing_else(client: EventStoreDBClient) -> None:
    with pytest.raises(GrpcError):
        client.create_projection(name="", query="")
    assert client.append_events("unfinished", current_version=StreamState.ANY, events=[event("T")])
