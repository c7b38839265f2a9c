"""Who uses the command line: the subject of the token that is named, else the login name."""

import asyncio
from pathlib import Path
from typing import Final

from infrastructure.access.caller import Caller
from infrastructure.access.signed_token import LONGEST
from service.cli.operator_act import Act
from service.errors import FileUnusable
from service.settings import Settings
from service.token_verifier import token_verifier

ROLES: Final = frozenset({"operator", "administrator"})
"""Of whoever has the servers' own credentials and presents no token: the stores let them do all of it anyway."""


def caller_of_command_line(settings: Settings) -> Caller:
    """Whoever uses the command line, in the default tenant where no token says another.

    Raises Unauthenticated for a token that proves nothing, FileUnusable, KeysUnusable and SettingsError.
    """
    if settings.token_file is None:
        return Caller(Act(None).actor, ROLES)
    verifier = token_verifier(settings)
    asyncio.run(verifier.source.refresh())
    return verifier.caller_of(_token_in(Path(settings.token_file)))


def _token_in(file: Path) -> str:
    try:
        with file.open(encoding="ascii") as opened:
            return opened.read(LONGEST + 2).strip()
    except OSError as error:
        raise FileUnusable(file, error.strerror or "it can't be read") from error
    except UnicodeDecodeError as error:
        raise FileUnusable(file, "there is no token in it") from error
