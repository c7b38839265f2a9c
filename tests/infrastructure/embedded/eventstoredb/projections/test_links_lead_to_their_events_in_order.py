"""Links as clients see them."""

import json
from uuid import uuid4

import pytest
from esdbclient import EventStoreDBClient, NewEvent, RecordedEvent, StreamState
from esdbclient.exceptions import NotFound

from tests.infrastructure.embedded.eventstoredb.projections.linked import append, event, everything, links, read, settle


@pytest.fixture
def category() -> str:
    """A name that no other test has."""
    return f"c{uuid4().hex}"


def test_a_link_is_an_event_that_names_another_and_says_where_it_comes_from(
    client: EventStoreDBClient, category: str
) -> None:
    source = event(f"T{category}", correlation=f"id-{category}")
    position = append(client, f"{category}-1", source)
    settle(client)
    (by_category,), (by_type,) = read(client, f"$ce-{category}"), read(client, f"$et-T{category}")
    place = {"$c": position, "$p": position}
    cause = {"$causedBy": str(source.id), "$correlationId": f"id-{category}"}
    assert (by_category.type, by_category.content_type) == ("$>", "application/octet-stream")
    assert list(json.loads(by_category.metadata).items()) == [
        *{"$v": "1:-1:1:4", **place, "$o": f"{category}-1", **cause}.items()
    ]
    assert json.loads(by_type.metadata) == {"$v": "2:-1:1:4", **place, **cause}


def test_links_lead_to_their_events_in_the_order_of_the_log(client: EventStoreDBClient, category: str) -> None:
    events = [event("T") for _ in range(90)]
    for number, each in enumerate(events):
        append(client, f"{category}-{number % 3}", each)
    settle(client)
    found = read(client, f"$ce-{category}", resolve_links=True)
    assert [each.id for each in found] == [each.id for each in events]
    assert [link_number(each) for each in found] == list(range(90))


def link_number(resolved: RecordedEvent) -> int:
    assert resolved.link is not None
    return resolved.link.stream_position


def test_a_stream_of_links_is_made_readable_for_all_before_its_first_link(
    client: EventStoreDBClient, category: str
) -> None:
    append(client, f"{category}-1", event("T"), event("T"))
    settle(client)
    metadata, version = client.get_stream_metadata(f"$ce-{category}")
    assert (metadata, version) == ({"$acl": {"$r": "$all", "$mr": "$all"}}, 0)
    own = [each for each in client.read_all(filter_exclude=()) if each.stream_name.endswith(f"$ce-{category}")]
    assert [(each.stream_name, each.stream_position) for each in own] == [
        (f"$$$ce-{category}", 0), (f"$ce-{category}", 0), (f"$ce-{category}", 1),
    ]  # fmt: skip


def test_deletes_are_linked_too(client: EventStoreDBClient, category: str) -> None:
    append(client, f"{category}-1", event("T"))
    append(client, f"{category}-2", event("T"))
    client.delete_stream(f"{category}-1", current_version=StreamState.ANY)
    client.tombstone_stream(f"{category}-2", current_version=StreamState.ANY)
    settle(client)
    assert links(client, f"$ce-{category}") == [
        f"0@{category}-1", f"0@{category}-2", f"0@$${category}-1", f"{2**63 - 1}@{category}-2",
    ]  # fmt: skip
    assert [each.stream_name for each in read(client, f"$ce-{category}", resolve_links=True)] == [f"$${category}-1"]
    deleted = [json.loads(each.metadata).get("$deleted") for each in read(client, f"$ce-{category}")]
    assert deleted == [None, None, -1, -1]


def test_events_that_are_not_the_json_they_claim_to_be_are_passed_over(
    client: EventStoreDBClient, category: str
) -> None:
    binary = event("T", data=b"{", content="application/octet-stream")
    append(client, f"{category}-1", event("T", data=b"{"), binary, event("T", data=b""), event("T"))
    settle(client)
    assert links(client, f"$ce-{category}") == [f"1@{category}-1", f"3@{category}-1"]


def test_links_come_after_writers_paused_and_never_in_between(client: EventStoreDBClient, category: str) -> None:
    positions = [append(client, f"{category}-1", event("T")) for _ in range(5)]
    assert client.get_commit_position(filter_exclude=()) == positions[-1]


def test_links_are_made_of_links_by_nobody(client: EventStoreDBClient, category: str) -> None:
    append(client, f"{category}-1", event("T"))
    settle(client)
    end = client.get_commit_position(filter_exclude=())
    settle(client)
    after = tuple(client.read_all(commit_position=end, filter_exclude=()))
    assert {each.stream_name.partition("-")[0] for each in after if each.commit_position != end} <= {
        "$et", "$$$et", "$streams", *(each.stream_name for each in after if each.type.startswith("Settled")),
    }  # fmt: skip


def test_a_stream_of_links_with_a_tombstone_gets_no_more_and_others_do(
    client: EventStoreDBClient, category: str
) -> None:
    append(client, f"{category}-1", event(f"T{category}"))
    settle(client)
    client.tombstone_stream(f"$ce-{category}", current_version=StreamState.ANY)
    append(client, f"{category}-1", event(f"T{category}"))
    settle(client)
    assert links(client, f"$et-T{category}") == [f"0@{category}-1", f"1@{category}-1"]


def test_a_deleted_stream_of_links_comes_back_with_the_next_link(client: EventStoreDBClient, category: str) -> None:
    append(client, f"{category}-1", event("T"))
    settle(client)
    client.delete_stream(f"$ce-{category}", current_version=StreamState.ANY)
    with pytest.raises(NotFound):
        client.get_stream(f"$ce-{category}")
    append(client, f"{category}-1", event("T"))
    settle(client)
    assert links(client, f"$ce-{category}") == [f"1@{category}-1"]


def test_a_subscription_follows_links_as_they_come(client: EventStoreDBClient, category: str) -> None:
    append(client, f"{category}-1", event("T"))
    settle(client)
    events = [event("T") for _ in range(3)]
    with client.subscribe_to_stream(f"$ce-{category}", resolve_links=True, timeout=20) as subscription:
        first = next(subscription)
        append(client, f"{category}-2", *events)
        assert [next(subscription).id for _ in range(3)] == [each.id for each in events]
    assert first.stream_name == f"{category}-1"


def test_names_of_all_scripts_are_linked(client: EventStoreDBClient, category: str) -> None:
    append(client, f"{category}ж-日本", NewEvent(type="Тип", data=b"{}"))
    settle(client)
    (found,) = read(client, f"$ce-{category}ж", resolve_links=True)
    assert (found.stream_name, found.type) == (f"{category}ж-日本", "Тип")


def test_each_event_has_each_of_its_links_once(client: EventStoreDBClient, category: str) -> None:
    for number in range(40):
        append(client, f"{category}-{number % 7}", event("T", correlation=f"{category}{number % 3}"), event("U"))
    settle(client)
    found, wanted = everything(client)
    ours = [name for name in wanted if category in name]
    assert len(ours) == 5
    assert {name: found[name] for name in ours} == {name: wanted[name] for name in ours}
    assert [link for link in found["$streams"] if category in link] == [
        link for link in wanted["$streams"] if category in link
    ]
