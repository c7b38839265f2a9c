"""Files of recorded decisions, one for each version of a saga: read, and compared with what this build decides."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from domain.saga import Saga
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.schema import Unfit, UnknownShape
from infrastructure.sagas.decisions import Decisions
from infrastructure.sagas.errors import NoRecording
from infrastructure.sagas.replay import Finding

_UNREADABLE: Final = (KeyError, TypeError, ValueError, UnknownShape, Unfit)


@dataclass(frozen=True, slots=True)
class RecordedHistory:
    """One history in a file, by its name there, and what differs in it, if anything does."""

    name: str
    finding: Finding | None


def file_of(saga: Saga[Any, Any], folder: Path) -> Path:
    """Where the decisions of this version of it are recorded."""
    return folder / f"{saga.category}.{saga.version}.json"


def compared(saga: Saga[Any, Any], codec: EventCodec, folder: Path) -> Iterator[RecordedHistory]:
    """The recorded histories of every version that this build has, each compared.

    Those of a version that it lacks can't be: whether it lacks a version that is needed, the open histories say.
    Raises NoRecording.
    """
    for version in saga.versions.values():
        path, decisions = file_of(version, folder), Decisions(version, codec)
        if not path.exists():
            continue
        for name, turns in _histories(path).items():
            yield RecordedHistory(name, _difference(decisions, f"{path.name}: {name}", turns))


def _histories(path: Path) -> Mapping[str, Any]:
    try:
        histories = json.loads(path.read_text(encoding="utf-8"))["histories"]
        return dict(histories.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoRecording(path, f"it is no file of recorded decisions: {error!r}") from error


def _difference(decisions: Decisions, name: str, turns: Any) -> Finding | None:
    try:
        return decisions.difference(name, turns)
    except _UNREADABLE as error:
        return Finding(name, 0, "unreadable", repr(error), "can't be replayed")
