"""Asks whether whoever runs a verb may do it, before it does anything."""

from pathlib import Path

from service.access.action import Action
from service.access.policy import may
from service.cli.callers import caller_of_command_line
from service.cli.surroundings import settings_at
from service.errors import NotAllowed


def require(action: Action, data: Path | None) -> None:
    """Raises NotAllowed, SettingsError.

    It guards against mistakes only: whoever has the event store's own credentials can act on it by other means.
    """
    caller = caller_of_command_line(settings_at(data))
    if not may(caller, action).allowed:
        raise NotAllowed(caller.subject, action)
