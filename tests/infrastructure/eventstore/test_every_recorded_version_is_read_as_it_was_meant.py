"""Every version of every event that was ever released is recorded, and today's code reads all of it exactly."""

import json
from pathlib import Path
from typing import Final

import pytest
from pydantic_core import to_jsonable_python

from domain.message import Event, stored_as
from infrastructure.eventstore.schema import Schema
from infrastructure.eventstore.shapes import Shape, fields_of, shapes_of
from tests.infrastructure.eventstore.messages import message_of
from tests.infrastructure.eventstore.samples import CODEC, RECORDED, SAMPLES, STORIES, load, record, replayed

TOLD: Final = sorted(path.stem for path in STORIES.glob("*.json"))


def objections(schema: Schema, samples: Path) -> list[str]:
    """What has to be done before these events may be released, given what was."""
    return [
        *(said for shape in shapes_of(schema) if (said := _objection(shape, samples)) is not None),
        *_forgotten(schema, samples),
    ]


def _objection(shape: Shape, samples: Path) -> str | None:
    path, fields = samples / f"{shape.name}.{shape.version}.json", json.dumps(shape.fields)
    if not path.exists():
        return f"add {path.name}: data, metadata and events of a record, and its fields: {fields}"
    recorded = load(path)
    if recorded["fields"] | recorded.get("later", {}) == shape.fields:
        return None
    if not shape.today:
        return f"{path.name} was released with the fields {json.dumps(load(path)['fields'])}: the past does not change"
    following = shape.version + 1
    return (
        f"{shape.name} has other fields than in {path.name}: make it version {following}, put the step from"
        f" {shape.version} among its upcasters, and add {shape.name}.{following}.json with the fields {fields}"
    )


def _forgotten(schema: Schema, samples: Path) -> list[str]:
    known = {f"{shape.name}.{shape.version}" for shape in shapes_of(schema)}
    return [f"nothing reads {path.name} any more" for path in sorted(samples.glob("*.json")) if path.stem not in known]


def test_no_event_changed_without_a_new_version() -> None:
    assert objections(CODEC.schema, SAMPLES) == []


LATER: Final = [sample for sample in RECORDED if "later" in load(SAMPLES / f"{sample}.json")]


@pytest.mark.parametrize("sample", LATER)
def test_what_a_release_added_later_is_stored_where_it_says_something(sample: str) -> None:
    """Where it says nothing the event is written as it is recorded; code of before passes over the member."""
    recorded, stored = load(SAMPLES / f"{sample}.json"), record(sample)
    for member, kind in recorded["later"].items():
        assert kind == {"or": ["string", "null"]}
        data = json.dumps({**recorded["data"], member.removesuffix("?"): "ada"}).encode()
        [read] = CODEC.events_in(stored._replace(data=data))
        assert json.loads(CODEC.encode(read.event, read.metadata).data) == json.loads(data)


@stored_as(name="Paid", version=1)
class Paid(Event):
    by: str


def _release(samples: Path, event: type[Event]) -> None:
    (samples / f"{event.stored_name}.{event.stored_version}.json").write_text(json.dumps({"fields": fields_of(event)}))


def test_an_event_with_other_fields_is_told_its_next_version_and_which_file_to_add(tmp_path: Path) -> None:
    _release(tmp_path, Paid)

    @stored_as(name="Paid", version=1)
    class PaidWithTip(Event):
        by: str
        tip: int = 0

    assert objections(Schema([Paid]), tmp_path) == []
    [objection] = objections(Schema([PaidWithTip]), tmp_path)
    assert objection == (
        "Paid has other fields than in Paid.1.json: make it version 2, put the step from 1 among its upcasters,"
        ' and add Paid.2.json with the fields {"by": "string", "tip?": "integer"}'
    )


def test_a_new_event_is_told_which_file_to_add_and_a_removed_one_is_missed(tmp_path: Path) -> None:
    @stored_as(name="Refunded", version=1)
    class Refunded(Event):
        to: str

    _release(tmp_path, Paid)
    assert objections(Schema([Refunded]), tmp_path) == [
        'add Refunded.1.json: data, metadata and events of a record, and its fields: {"to": "string"}',
        "nothing reads Paid.1.json any more",
    ]


def test_every_version_up_to_todays_is_read() -> None:
    declared = {(shape.name, shape.version) for shape in shapes_of(CODEC.schema)}
    needed = {(name, version) for name, last in declared for version in range(1, last + 1)}
    assert declared == needed


@pytest.mark.parametrize("sample", RECORDED)
def test_a_recorded_event_means_exactly_what_it_did(sample: str) -> None:
    events = CODEC.events_in(record(sample))
    said = [{"name": each.event.stored_name, "data": to_jsonable_python(each.event)} for each in events]
    assert said == load(SAMPLES / f"{sample}.json")["events"]
    assert [each.index for each in events] == list(range(len(events)))
    assert [each.metadata.model_dump(mode="json", by_alias=True) for each in events] == [
        load(SAMPLES / f"{sample}.json")["metadata"] for _ in events
    ]


@pytest.mark.parametrize("sample", RECORDED)
def test_what_a_record_may_become_has_its_upcaster(sample: str) -> None:
    """Else a saga or read model would not ask the store for it."""
    name = sample.rpartition(".")[0]
    assert all(name in type(each.event).stored_names() for each in CODEC.events_in(record(sample)))


@pytest.mark.parametrize("shape", [each for each in shapes_of(CODEC.schema) if each.today], ids=lambda each: each.name)
def test_an_event_is_written_as_it_is_recorded(shape: Shape) -> None:
    recorded = record(f"{shape.name}.{shape.version}")
    [read] = CODEC.events_in(recorded)
    written = CODEC.encode(read.event, read.metadata)
    assert (written.type, json.loads(written.data)) == (recorded.type, json.loads(recorded.data))
    assert json.loads(written.metadata) == json.loads(recorded.metadata)


@pytest.mark.parametrize("story", TOLD)
def test_a_recorded_stream_comes_to_the_same_state_and_read_models(story: str) -> None:
    told = load(STORIES / f"{story}.json")
    assert replayed(told) == {"state": told["state"], "read_models": told["read_models"]}


def test_every_sample_is_part_of_a_stream() -> None:
    assert {sample for story in TOLD for sample in load(STORIES / f"{story}.json")["records"]} == set(RECORDED)


@pytest.mark.parametrize("sample", RECORDED)
def test_what_is_read_off_its_message_is_what_the_record_means(sample: str) -> None:
    """Of older forms nothing is read off: they are left to `events_in`."""
    stored = record(sample)
    name, _, version = sample.rpartition(".")
    read = CODEC.message_reader([name])(message_of(stored))
    assert [read] == (CODEC.events_in(stored) if (name, int(version)) in CODEC.schema.current else [None])
