"""Who uses the command line: the subject of the token that is named, else the login name."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, time
from typing import Final

from infrastructure.access.caller import Caller
from infrastructure.access.errors import Unauthenticated
from infrastructure.access.revocations import (
    NOTHING_REVOKED,
    REVOCATIONS_STREAM,
    Revocations,
    recorded_revocations,
)
from infrastructure.access.signed_token import LONGEST
from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.recorded_acts import PAGE
from service.cli.operator_act import Act
from service.errors import FileUnusable
from service.settings import Settings
from service.token_verifier import token_verifier

ROLES: Final = frozenset({"operator", "administrator"})
"""Of whoever has the servers' own credentials and presents no token: the stores let them do all of it anyway."""


def caller_of_command_line(settings: Settings) -> Caller:
    """Whoever uses the command line, in the default tenant where no token says another.

    A token is compared with what is revoked in the event store, where one is named. Raises Unauthenticated for a token
    that proves nothing, FileUnusable, KeysUnusable, SettingsError and EventStoreError.
    """
    if settings.token_file is None:
        return Caller(Act(None).actor, ROLES)
    return PresentedToken(settings, settings.token_file).caller()


class PresentedToken:
    """The token in a file, judged anew whenever that is asked for: by what is revoked then, and by the keys.

    The keys are looked at as often as by an API, and before a token is refused.
    """

    def __init__(self, settings: Settings, file: str) -> None:
        """Raises KeysUnusable, SettingsError."""
        self._file: Final = Path(file)
        self._uri: Final = settings.eventstore_uri
        self._recorded: Final = recorded_revocations(time)
        self._verifier: Final = token_verifier(settings, self._revoked)
        self._looked: float | None = None

    def caller(self) -> Caller:
        """Whom it names. Raises Unauthenticated, FileUnusable, EventStoreError."""
        if self._looked is not None and monotonic() < self._looked + self._verifier.source.pause:
            with suppress(Unauthenticated):
                return self._judged()
        asyncio.run(self._verifier.source.refresh())
        self._looked = monotonic()
        return self._judged()

    def _judged(self) -> Caller:
        return self._verifier.caller_of(_token_in(self._file))

    def _revoked(self) -> Revocations:
        if self._uri is None:
            return NOTHING_REVOKED
        reader = open_reader(self._uri)
        try:
            while not self._recorded.take(_page(reader, self._recorded.first)):
                pass
        finally:
            reader.close()
        return self._recorded.known or NOTHING_REVOKED


def _page(reader: LogReader, first: int) -> Sequence[Record] | None:
    try:
        return reader.page(REVOCATIONS_STREAM, first, PAGE)
    except StreamGone:  # and with it all that stood
        return None


def _token_in(file: Path) -> str:
    try:
        with file.open(encoding="ascii") as opened:
            return opened.read(LONGEST + 2).strip()
    except OSError as error:
        raise FileUnusable(file, error.strerror or "it can't be read") from error
    except UnicodeDecodeError as error:
        raise FileUnusable(file, "there is no token in it") from error
