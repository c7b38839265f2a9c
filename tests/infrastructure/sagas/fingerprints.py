"""What each saga decides along histories that lead through all of it, recorded for each version: a change shows.

`python -m tests.infrastructure.sagas.fingerprints` records the newest version where it is not recorded yet, and what is
new among the histories.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from domain.message import Event
from domain.reply import StoredReply
from domain.saga import Saga
from infrastructure.sagas.decisions import Decisions, Heard
from infrastructure.sagas.recorded_decisions import compared, file_of
from service.consumers import SAGAS
from tests.domain.booking.recorded_histories import bookings
from tests.domain.fulfilment.recorded_histories import fulfilments
from tests.infrastructure.eventstore.samples import CODEC, SAMPLES, load

RECORDED: Final = SAMPLES / "sagas"
COMMAND: Final = "python -m tests.infrastructure.sagas.fingerprints"
Histories = Mapping[str, list[Heard]]
HISTORIES: Final[Mapping[str, Callable[[], Histories]]] = {
    "fulfilment": lambda: {
        name: [heard(step, events) for step, events in history] for name, history in fulfilments().items()
    },
    "booking": lambda: {
        name: [heard(step, events, deadline) for step, deadline, events in history]
        for name, history in bookings().items()
    },
}


def heard(step: str | None, events: Sequence[Event], deadline: str | None = None) -> Heard:
    """A message, a reply to a step, or a deadline that passed."""
    told = Heard(tuple(events), step, deadline=deadline)
    return replace(told, last_id=events.last_id) if isinstance(events, StoredReply) else told


def objections(saga: Saga[Any, Any], folder: Path) -> list[str]:
    """What has to be done before this saga may be released, given what was recorded."""
    path = file_of(saga, folder)
    if not path.exists():
        return [f"{path.name} is missing: record it by `{COMMAND}`"]
    if unrecorded := HISTORIES[saga.category]().keys() - load(path)["histories"].keys():
        return [f"{path.name} lacks {', '.join(sorted(unrecorded))}: record it by `{COMMAND}`"]
    findings = [history.finding for history in compared(saga, CODEC, folder) if history.finding is not None]
    if findings:
        first = findings[0]
        found = f"after {first.prefix} events of {first.instance}: {first.today}, where it was {first.recorded}"
        following = f"`version={saga.version + 1}` with the released one among its `former`"
        advice = f"If that is meant, declare {following} and record it by `{COMMAND}`"
        return [f"{saga.category} decides otherwise {found}. {advice}; what was released is never edited"]
    return []


def record_missing(sagas: Iterable[Saga[Any, Any]], folder: Path) -> None:
    """Adds what is not recorded of the newest versions; what is recorded stays as it is."""
    for saga in sagas:
        path = file_of(saga, folder)
        histories = load(path)["histories"] if path.exists() else {}
        for name, history in HISTORIES[saga.category]().items():
            if name not in histories:
                histories[name] = Decisions(saga, CODEC).along(history)
        path.write_text(_document(saga, dict(sorted(histories.items()))), encoding="utf-8")


def _document(saga: Saga[Any, Any], histories: Mapping[str, list[dict[str, Any]]]) -> str:
    """One line a turn."""
    told = ",\n".join(
        f"    {json.dumps(name)}: [\n" + ",\n".join(f"      {json.dumps(turn)}" for turn in turns) + "\n    ]"
        for name, turns in histories.items()
    )
    heading = f'  "saga": {json.dumps(saga.category)},\n  "version": {saga.version},\n'
    return f'{{\n{heading}  "histories": {{\n{told}\n  }}\n}}\n'


if __name__ == "__main__":
    record_missing(SAGAS, RECORDED)
