"""Which events are skipped, from the records of these words: by projection, stream and version, in their order."""

from collections.abc import Sequence
from uuid import UUID

from infrastructure.eventstore.record import Record
from infrastructure.eventstore.recorded_acts import PAGE
from infrastructure.readmodels.skips import (
    SETTING,
    SKIPPED,
    SKIPS_STREAM,
    UNSKIPPED,
    AllSkips,
    Change,
    Skip,
    Skips,
    record_of_skip,
    recorded_skips,
)
from tests.infrastructure.readmodels.tallies import AT


def skip(
    version: int,
    stream: str = "tally-1",
    *,
    actor: str = "cli:ada",
    why: str = "so it is",
    projection: str = "tallies",
    namespace: str = "shop",
) -> Skip:
    return Skip(
        namespace=namespace,
        projection=projection,
        stream=stream,
        version=version,
        event_id=UUID(int=version),
        actor=actor,
        why=why,
        at=AT,
    )


def at(number: int, version: int, stream: str = "tally-1", *, absent: bool = True) -> Change:
    return Change(number, stream, version, absent)


def stored(version: int, kind: str, data: bytes) -> Record:
    return Record(SKIPS_STREAM, version, 10 * version, UUID(int=1_000 + version), kind, data, b"", AT)


def known(*words: tuple[str, Skip]) -> AllSkips:
    """What stands after these."""
    return read([stored(version, kind, word.model_dump_json().encode()) for version, (kind, word) in enumerate(words)])


def read(records: Sequence[Record]) -> AllSkips:
    recorded = recorded_skips("shop")
    while not recorded.take(records[recorded.first :][:PAGE] if records else None):
        pass
    assert recorded.known is not None
    return recorded.known


def test_a_skip_stands_until_it_is_ended() -> None:
    first, second, other = skip(3), skip(5), skip(1, "tally-2", projection="raises")
    found = known((SKIPPED, first), (SKIPPED, skip(3, why="once more")), (SKIPPED, second), (SKIPPED, other))
    assert found == {
        "tallies": Skips(4, {"tally-1": {3: first, 5: second}}, (at(0, 3), at(1, 3), at(2, 5))),
        "raises": Skips(4, {"tally-2": {1: other}}, (at(3, 1, "tally-2"),)),
    }
    assert found["tallies"].versions("tally-1") == {3, 5}
    assert found["tallies"].versions("tally-2") == frozenset()
    ended = known((SKIPPED, first), (UNSKIPPED, first))
    assert ended == {"tallies": Skips(2, {}, (at(0, 3), at(1, 3, absent=False)))}


def test_the_setting_ends_its_own_skips_alone_and_an_operator_takes_them_over() -> None:
    own, operators = skip(3, actor=SETTING), skip(3)
    assert known((SKIPPED, own), (UNSKIPPED, own))["tallies"].standing == {}
    assert known((SKIPPED, own), (UNSKIPPED, operators))["tallies"].standing == {}
    assert known((SKIPPED, operators), (UNSKIPPED, own))["tallies"].of("tally-1", 3) == operators
    taken_over = known((SKIPPED, own), (SKIPPED, operators), (UNSKIPPED, own))["tallies"]
    assert taken_over.of("tally-1", 3) == operators
    assert (taken_over.by(SETTING), taken_over.by("cli:ada")) == ([], [operators])


def test_later_records_are_told_of_the_streams_that_matter() -> None:
    skips = known(*[(SKIPPED, skip(1, stream)) for stream in ("tally-1", "tally-2", "tally-3")])["tallies"]
    odd = {"tally-1", "tally-3"}.__contains__
    assert skips.since(0, odd) == [at(0, 1), at(2, 1, "tally-3")]
    assert skips.since(1, odd) == [at(2, 1, "tally-3")]
    assert skips.since(3, odd) == []


def test_what_stood_before_a_record_is_told() -> None:
    words = [(SKIPPED, skip(1)), (SKIPPED, skip(4)), (SKIPPED, skip(2, "tally-2")), (UNSKIPPED, skip(1))]
    skips = known(*words)["tallies"]
    found = [skips.before(revision, ["tally-1", "tally-3"])["tally-1"] for revision in range(6)]
    assert found == [set(), {1}, {1, 4}, {1, 4}, {4}, {4}]
    assert skips.before(9, ["tally-2", "tally-3"]) == {"tally-2": {2}, "tally-3": set()}


def test_those_of_other_namespaces_and_what_can_not_be_read_are_passed_by() -> None:
    records = [
        stored(0, SKIPPED, skip(1, namespace="depot").model_dump_json().encode()),
        stored(1, SKIPPED, b'{"namespace":"shop"}'),
        stored(2, "EventPainted", skip(1).model_dump_json().encode()),
        stored(3, SKIPPED, skip(1).model_dump_json().encode()[:-1] + b',"until":"tomorrow"}'),
    ]
    assert read(records) == {"tallies": Skips(4, {"tally-1": {1: skip(1)}}, (at(3, 1),))}


def test_only_what_changes_something_is_recorded() -> None:
    own, operators = skip(3, actor=SETTING), skip(3)
    data = operators.model_dump_json().encode()
    assert record_of_skip({}, operators, skipped=True) == (SKIPPED, data, b"", "application/json")
    assert record_of_skip({}, operators, skipped=False) is None
    found = known((SKIPPED, operators))
    assert record_of_skip(found, operators, skipped=True) is None
    assert record_of_skip(found, own, skipped=True) is None
    assert record_of_skip(found, own, skipped=False) is None
    assert record_of_skip(found, operators, skipped=False) == (UNSKIPPED, data, b"", "application/json")
    assert record_of_skip(known((SKIPPED, own)), operators, skipped=True) == (SKIPPED, data, b"", "application/json")
