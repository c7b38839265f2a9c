"""`foldstream subscriptions list` and `show` tell how groups fare, and who consumes them."""

from typing import Any, cast

from service.cli.subscriptions.commands import app
from service.consumers import SAGAS, groups_of
from tests.service.cli.parked.till import Till, versions
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import EVIL, raw
from tests.support.polling import poll_until

CONSUMED = {"state": "Live", "behind_in": "events", "parked_exact": True, "saga": None, "former": None}


def subscription(till: Till, *arguments: str) -> dict[str, Any]:
    return cast("dict[str, Any]", till.answer(*arguments, command=app))


def test_a_group_tells_its_places_and_counts(till: Till) -> None:
    stream = till.paid(5)
    till.group("billing", stream, min_checkpoint_count=1, checkpoint_after=0.1)
    with till.consumer("billing", stream, slots=2) as consumer:
        assert versions(consumer, 1) == [0]
        checkpointed = poll_until(lambda: behind(till) == 4, seconds=10, what="a checkpoint behind the first event")
        consumer.nack(next(consumer), "park")
        poll_until(lambda: till.parked("billing", stream) == 1, seconds=10, what="one parked")
        [found] = subscription(till, "list")["subscriptions"]
        assert checkpointed
        assert {**found, "per_second": None, "behind": None, "checkpointed": None} == {
            **CONSUMED,
            "group": f"{stream}::billing",
            "source": stream,
            "name": "billing",
            "behind": None,
            "checkpointed": None,
            "known": "4",
            "buffered": 1,
            "retries": 0,
            "in_flight": 2,
            "parked": 1,
            "delivered": 4,
            "per_second": None,
            "consumers": 1,
        }


def behind(till: Till) -> int | None:
    return cast("int | None", subscription(till, "show", "billing")["behind"])


def test_one_is_shown_with_its_consumers_and_settings(till: Till) -> None:
    stream = till.paid(3)
    till.group("billing", stream, consumer_strategy="RoundRobin", message_timeout=12.5, max_retry_count=7)
    with till.consumer("billing", stream, slots=2):
        poll_until(lambda: subscription(till, "show", "billing")["in_flight"] == 2, seconds=10, what="two in hand")
        found = subscription(till, "show", f"{stream}::billing")
    [connection] = found["connections"]
    assert connection.pop("address").startswith("127.0.0.1:")
    assert connection.pop("name") == till.operator.client.connection_spec.options.ConnectionName
    assert connection == {"user": "anonymous", "in_flight": 2, "free": 0, "delivered": 2, "per_second": 2}
    assert found["settings"] == {
        "start_from": "0",
        "consumer_strategy": "RoundRobin",
        "resolve_links": False,
        "extra_statistics": False,
        "message_timeout_ms": 12_500,
        "max_retry_count": 7,
        "max_subscriber_count": 5,
        "min_checkpoint_count": 10,
        "max_checkpoint_count": 1000,
        "checkpoint_after_ms": 2000,
        "read_batch_size": 200,
        "history_buffer_size": 500,
        "live_buffer_size": 500,
    }
    assert found["behind"] is None
    assert subscription(till, "show", "billing")["connections"] == []


def test_the_groups_of_a_saga_are_told_from_those_of_others(till: Till) -> None:
    groups = groups_of(SAGAS[0], "foldstream")
    for name in (groups, f"{groups}-0123456789ab", f"{groups}-x", f"x{groups}", "billing"):
        till.group(name, None)
    found = {each["name"]: (each["saga"], each["former"]) for each in subscription(till, "list")["subscriptions"]}
    assert found == {
        groups: (SAGAS[0].category, True),
        f"{groups}-0123456789ab": (SAGAS[0].category, True),
        f"{groups}-x": (None, None),
        f"x{groups}": (None, None),
        "billing": (None, None),
    }


def test_people_get_tables(till: Till) -> None:
    assert till.said("list", command=app) == ["The event store has no persistent subscription."]
    stream = till.paid(2)
    till.group(f"billing{EVIL}", stream)
    lines = [*till.said("list", command=app), *till.said("show", f"billing{EVIL}", command=app)]
    assert raw("\n".join(lines)) == []
    assert lines[0].split() == ["group", "state", "behind", "waiting", "in", "flight", "parked", "consumers", "saga"]
    assert lines[1].split()[-5:] == ["Live", "2", "0", "0", "0"]
    assert "resolve links         no" in lines
    assert lines[-1] == "Nobody consumes it."
