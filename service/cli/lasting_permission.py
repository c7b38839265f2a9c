"""Asks again and again whether whoever runs a verb that goes on may still do what it does."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from service.access.action import Action
from service.access.policy import may
from service.cli.callers import PresentedToken
from service.cli.surroundings import settings_at
from service.errors import NotAllowed

_SECONDS: Final = 2.0


class LastingPermission:
    """That for an action, which `permitted` has given at first; without a token it lasts.

    The token may be replaced by a later one of the same subject and tenant.
    """

    def __init__(self, action: Action, data: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises as `caller_of_command_line`."""
        self._action: Final = action
        self._clock: Final = clock
        settings = settings_at(data)
        file = settings.token_file
        self._token: Final = None if file is None else PresentedToken(settings, file)
        self._first: Final = None if self._token is None else self._token.caller()
        self._due = clock() + _SECONDS

    def require(self) -> None:
        """Looks every two seconds. Raises NotAllowed, and as `caller_of_command_line`, StoreUnavailable above all."""
        if self._token is None or self._first is None or self._clock() < self._due:
            return
        caller = self._token.caller()
        same = (caller.subject, caller.tenant) == (self._first.subject, self._first.tenant)
        if not same or not may(caller, self._action).allowed:
            raise NotAllowed(caller.subject, self._action)
        self._due = self._clock() + _SECONDS
