"""Recorded samples of every stored name and version, and streams of them as the log would give them out."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from domain.decider import Decider
from domain.message import Event
from domain.saga import Saga
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import Record
from infrastructure.readmodels.fold import fold
from infrastructure.readmodels.record_reader import reader_of
from projections.projection import Add
from service.consumers import DECIDERS, EVENTS, PROJECTIONS, SAGAS

SAMPLES: Final = Path(__file__).parents[2] / "samples"
STORIES: Final = SAMPLES / "stories"
RECORDED: Final = sorted(path.stem for path in SAMPLES.glob("*.json"))
CODEC: Final = EventCodec(EVENTS)
_BEGINNING: Final = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
_FOLDS: Final[Mapping[str, Decider[Any, Any, Any] | Saga[Any, Any]]] = {
    **{decider.category: decider for decider in DECIDERS},
    **{saga.category: saga for saga in SAGAS},
}


def load(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def record(sample: str, stream: str = "sample-0", number: int = 0) -> Record:
    """The sample as a record of the log: one a minute, at every tenth position."""
    content = load(SAMPLES / f"{sample}.json")
    position = 1000 + 10 * number
    return Record(
        stream,
        number,
        position,
        UUID(int=number),
        sample.rpartition(".")[0],
        _compact(content["data"]),
        _compact(content["metadata"]),
        _BEGINNING + timedelta(minutes=number),
        prepare_position=position,
    )


def replayed(story: Mapping[str, Any]) -> dict[str, Any]:
    """What becomes of a story's records: the state of its decider or saga, and what the read models make of it that it
    tells of. Later ones have a fingerprint of it alone (`tests/projections/fingerprints.py`)."""
    stream, category = story["stream"], story["stream"].partition("-")[0]
    records = [record(sample, stream, number) for number, sample in enumerate(story["records"])]
    events = [recorded.event for each in records for recorded in CODEC.events_in(each)]
    made = _read_models(category, records)
    told = {name: made[name] for name in story["read_models"]}
    return {"state": _state(category, events), "read_models": told}


def evolve_of(source: Decider[Any, Any, Any] | Saga[Any, Any]) -> Callable[[Any, Any], Any]:
    """How the events of its streams are folded."""
    return source.evolve_past_notes if isinstance(source, Saga) else source.evolve


def _state(category: str, events: Sequence[Event]) -> Any:
    source = _FOLDS[category]
    state, evolve = source.initial, evolve_of(source)
    for event in events:
        state = evolve(state, event)
    return {"is": type(state).__name__, **TypeAdapter(type(state)).dump_python(state, mode="json")}


def _read_models(category: str, records: Sequence[Record]) -> dict[str, Any]:
    """Each row, and the entries of each index, by the readers and the fold that the workers use."""
    models = {}
    for projection in PROJECTIONS:
        if projection.category == category:
            read = reader_of(projection, CODEC)
            folded = fold(projection, {}, [read(each) for each in records], None)
            assert (folded.failure, folded.blocks) == (None, {})
            [row] = folded.rows.values()
            added = [change.entry for change in folded.changes.values() if isinstance(change, Add)]
            index = [[entry.index, entry.member, entry.score] for entry in added]
            models[projection.name] = {"row": row and to_jsonable_python(row), "index": index}
    return models


def _compact(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
