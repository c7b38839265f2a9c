"""Asks whether whoever runs a verb may do it, before it does anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.access.action import Action
from service.access.policy import may
from service.cli.callers import caller_of_command_line
from service.cli.operator_act import SUBJECT
from service.cli.surroundings import settings_at
from service.errors import NotAllowed


@contextmanager
def permitted(action: Action, data: Path | None) -> Iterator[None]:
    """While the block lasts, what is done is done by the subject of the token that is presented, if one is.

    Raises NotAllowed, and what `caller_of_command_line` raises. It guards against mistakes only: whoever has the event
    store's own credentials can act on it by other means.
    """
    settings = settings_at(data)
    caller = caller_of_command_line(settings)
    if not may(caller, action).allowed:
        raise NotAllowed(caller.subject, action)
    before = SUBJECT.set(None if settings.token_file is None else caller.subject)
    try:
        yield
    finally:
        SUBJECT.reset(before)
