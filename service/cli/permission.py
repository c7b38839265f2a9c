"""Asks whether whoever runs a verb may do it, before it does anything, and has it put on record."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infrastructure.eventstore.errors import StoreUnavailable
from service.access.action import Action
from service.access.policy import may
from service.access.recorded import RECORDED
from service.cli.access.records import Attempt, announce_attempt, record_refusal
from service.cli.callers import caller_of_command_line
from service.cli.surroundings import settings_at
from service.errors import NoStore, NotAllowed


def require(action: Action, data: Path, given: Mapping[str, Any], *, is_part: bool = False) -> None:
    """`given` are the arguments of the verb and its `tenant`. A process that does a part of what another was asked for
    is not recorded again.

    It guards against mistakes only: whoever has the event store's own credentials can act on it by other means. Raises
    NotAllowed, also where that can't be put on record, and SettingsError.
    """
    settings = settings_at(data)
    attempt = Attempt(caller_of_command_line(settings), action, given, data)
    is_recorded = action in RECORDED and not is_part
    if not may(attempt.caller, action).allowed:
        refusal = NotAllowed(attempt.caller.subject, action)
        try:
            if is_recorded:
                record_refusal(attempt, settings, "forbidden")
        except (StoreUnavailable, NoStore) as error:  # nothing is done either way
            raise refusal from error
        raise refusal
    announce_attempt(attempt if is_recorded else None)
