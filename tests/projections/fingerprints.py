"""What a projection makes of the recorded stories, in short: recorded for each version of it, so that a change shows.

`python -m tests.projections.fingerprints` records what is not recorded yet: a new version, a new story.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from domain.message import Event, Recorded
from infrastructure.eventstore.shapes import fields_of
from infrastructure.readmodels.rows import codec_of
from projections.projection import Add, Projection
from projections.sums import Place, add_row, not_summed
from service.consumers import PROJECTIONS
from tests.infrastructure.eventstore.samples import CODEC, SAMPLES, STORIES, load, record

RECORDED: Final = SAMPLES / "projections"
COMMAND: Final = "python -m tests.projections.fingerprints"


def fingerprint(projection: Projection[Any]) -> dict[str, Any]:
    """Its category, the names of its events, the members of its row, and a digest of each story: of the row, the
    changes of indexes, and what the row contributes to sums after every event."""
    stories = {path.stem: load(path) for path in sorted(STORIES.glob("*.json"))}
    return {
        "category": projection.category,
        "handled": _names(projection.handlers),
        "ignored": _names(projection.ignored),
        "row": fields_of(projection.row),
        "stories": {
            name: _digest(projection, _events(story["stream"], story["records"]))
            for name, story in stories.items()
            if story["stream"].partition("-")[0] == projection.category
        },
    }


def file_of(projection: Projection[Any], folder: Path) -> Path:
    """Where this version of it is recorded."""
    return folder / f"{projection.name}.{projection.version}.json"


def objections(projection: Projection[Any], folder: Path) -> list[str]:
    """What has to be done before this projection may be released, given what was recorded."""
    path = file_of(projection, folder)
    if not path.exists():
        return [f"{path.name} is missing: record it by `{COMMAND}`"]
    recorded, today = load(path), fingerprint(projection)
    if unrecorded := today["stories"].keys() - recorded["stories"].keys():
        return [f"{path.name} lacks {', '.join(sorted(unrecorded))}: record it by `{COMMAND}`"]
    if changed := _differences(recorded, today):
        following = projection.version + 1
        advice = f"declare `version={following}` in the projection and record it by `{COMMAND}`"
        found = f"{projection.name} is not what {path.name} says: {'; '.join(changed)}"
        return [f"{found}. If that is meant, {advice}; what was released is never edited"]
    return []


def record_missing(projections: Iterable[Projection[Any]], folder: Path) -> None:
    """Adds the fingerprints and stories that are not recorded; what is recorded stays as it is."""
    for projection in projections:
        path, today = file_of(projection, folder), fingerprint(projection)
        recorded = load(path) if path.exists() else today
        stories = {**today["stories"], **recorded["stories"]}
        content = {**recorded, "stories": dict(sorted(stories.items()))}
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _differences(recorded: dict[str, Any], today: dict[str, Any]) -> list[str]:
    fields = [
        f"{member} {json.dumps(recorded[member])} became {json.dumps(today[member])}"
        for member in ("category", "handled", "ignored", "row")
        if recorded[member] != today[member]
    ]
    stories = [name for name, digest in recorded["stories"].items() if today["stories"].get(name) != digest]
    return [*fields, f"rows, index entries or sums of {', '.join(stories)} changed"] if stories else fields


def _names(events: Iterable[type[Event]]) -> list[str]:
    return sorted(event.stored_name for event in events)


def _events(stream: str, samples: Sequence[str]) -> list[Recorded[Any]]:
    records = [record(sample, stream, number) for number, sample in enumerate(samples)]
    return [event for each in records for event in CODEC.events_in(each)]


def _digest(projection: Projection[Any], events: Iterable[Recorded[Any]]) -> str:
    codec, row, steps = codec_of(projection.row), None, sha256()
    for recorded in events:
        handler = projection.handlers.get(type(recorded.event))
        if handler is None:
            continue
        before, row = row, handler(row, recorded)
        changes = [
            (type(change) is Add, change.entry.index, change.entry.member, change.entry.score)
            for change in projection.index(before, row)
        ]
        stored = None if row is None else [_bytes(part) for part in codec.encode(row)]
        steps.update(repr((stored, sorted(changes), *_contributions(projection, row))).encode())
    return steps.hexdigest()[:16]


def _contributions(projection: Projection[Any], row: Any) -> list[tuple[Place, int]]:
    """Nothing for a projection without sums: it was recorded before there were any."""
    contributed: dict[Place, int] = {}
    if row is not None and projection.sums is not not_summed:
        add_row(projection.sums, row, contributed)
    return sorted(contributed.items())


def _bytes(part: bytes | str) -> bytes:
    """As Redis gets it."""
    return part.encode() if isinstance(part, str) else part


if __name__ == "__main__":
    record_missing(PROJECTIONS, RECORDED)
