"""The deadlines of an instance as its snapshot keeps them beside the state, as JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from infrastructure.sagas.timers import OpenDeadline, Timers
from infrastructure.times import time_text

_OPEN: Final = "deadlines"
_PASSED: Final = "passed"


def written(timers: Timers) -> dict[str, Any]:
    """What a snapshot keeps of them: nothing where there are none."""
    opened = [[time_text(each.due), each.name, each.version] for each in sorted(timers.open.values())]
    kept = {_OPEN: opened, _PASSED: sorted(timers.passed)}
    return {key: value for key, value in kept.items() if value}


def timers_in(notes: Mapping[str, Any]) -> Timers:
    """The same deadlines. Raises TypeError or ValueError for what was not written so."""
    opened = [OpenDeadline(datetime.fromisoformat(due), name, version) for due, name, version in notes.get(_OPEN, ())]
    return Timers({each.name: each for each in opened}, frozenset(notes.get(_PASSED, ())))
