"""Which projections are paused, from pages of operators' records: of one namespace, in the order of the stream."""

from collections.abc import Sequence
from uuid import UUID

from structlog.testing import capture_logs

from infrastructure.eventstore.record import Record
from infrastructure.eventstore.recorded_acts import PAGE, RecordedActs
from infrastructure.readmodels.pauses import OPERATIONS_STREAM, PAUSED, RESUMED, Operation, Pauses, recorded_pauses
from tests.infrastructure.readmodels.tallies import AT


def operation(projection: str, why: str = "so it is", namespace: str = "shop") -> Operation:
    return Operation(namespace=namespace, projection=projection, actor="cli:ada", why=why, at=AT)


def stored(version: int, kind: str, data: bytes, history: int = 1) -> Record:
    event_id = UUID(int=1_000 * history + version)
    return Record(OPERATIONS_STREAM, version, 10 * version, event_id, kind, data, b"", AT)


def stream(*acts: tuple[str, Operation], history: int = 1) -> list[Record]:
    return [stored(version, kind, act.model_dump_json().encode(), history) for version, (kind, act) in enumerate(acts)]


def read(recorded: RecordedActs[Pauses], records: Sequence[Record]) -> RecordedActs[Pauses]:
    """Reads on to the end, as those do who have a store."""
    while not recorded.take(records[recorded.first :][:PAGE] if records else None):
        pass
    return recorded


def test_the_first_pause_stands_until_it_is_resumed() -> None:
    first, again, other = operation("tallies"), operation("tallies", why="once more"), operation("raises")
    acts = [(PAUSED, first), (PAUSED, again), (PAUSED, other)]
    recorded = read(recorded_pauses("shop"), stream(*acts))
    assert (recorded.known, recorded.version) == ({"tallies": first, "raises": other}, 2)
    acts.append((RESUMED, again))
    assert read(recorded, stream(*acts)).known == {"raises": other}
    acts.append((RESUMED, other))
    assert read(recorded, stream(*acts)).known == {}


def test_without_a_stream_nothing_is_paused() -> None:
    recorded = recorded_pauses("shop")
    assert recorded.known is None
    assert (read(recorded, []).known, recorded.version) == ({}, -1)


def test_nothing_is_known_before_the_last_page_was_read() -> None:
    acts = [(PAUSED, operation("tallies"))] * PAGE + [(RESUMED, operation("tallies"))]
    recorded = recorded_pauses("shop")
    assert not recorded.take(stream(*acts)[:PAGE])
    assert recorded.known is None
    assert read(recorded, stream(*acts)).known == {}


def test_those_of_other_namespaces_and_other_acts_are_passed_by() -> None:
    acts = [(PAUSED, operation("tallies", namespace="depot")), ("ProjectionPainted", operation("tallies"))]
    assert read(recorded_pauses("shop"), stream(*acts)).known == {}


def test_what_can_not_be_read_is_told_once_and_passed_by_and_further_members_are_no_matter() -> None:
    newer = operation("tallies").model_dump_json().encode()[:-1] + b',"until":"tomorrow"}'
    records = [stored(0, PAUSED, b"{"), stored(1, RESUMED, b'{"namespace":"shop"}'), stored(2, PAUSED, newer)]
    with capture_logs() as logged:
        recorded = read(recorded_pauses("shop"), records)
        read(recorded, records)
    assert recorded.known == {"tallies": operation("tallies")}
    assert [(line["event"], line["version"]) for line in logged] == [("operation_unreadable", at) for at in (0, 1)]


def test_another_store_or_an_older_copy_is_read_anew() -> None:
    recorded = read(recorded_pauses("shop"), stream((PAUSED, operation("tallies")), (PAUSED, operation("raises"))))
    assert read(recorded, stream((PAUSED, operation("tallies")))).known == {"tallies": operation("tallies")}
    assert read(recorded, stream((PAUSED, operation("raises")), history=2)).known == {"raises": operation("raises")}
    assert read(recorded, []).known == {}
