"""What an operator does: by whom and why, for the log and for the records that say what was done."""

import json
import os
import pwd
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeAlias

import structlog
import typer

from infrastructure.access.caller import COMMAND_LINE

SUBJECT: Final = ContextVar[str | None]("subject", default=None)
"""Of the token that whoever runs this process presents, once it is verified."""
_log = structlog.get_logger("foldstream")


def _reason(text: str) -> str:
    if not 1 <= len(text) <= 200 or not text.strip():
        raise typer.BadParameter("should be 1 to 200 characters, not all of them blank")
    return text


Reason: TypeAlias = Annotated[
    str, typer.Option("--why", parser=_reason, metavar="TEXT", help="Why; it is kept with what was done.")
]
Why: TypeAlias = Annotated[
    str | None, typer.Option("--why", parser=_reason, metavar="TEXT", help="Why; it goes into the log.")
]


def _actor() -> str:
    subject = SUBJECT.get()
    return f"{COMMAND_LINE}{login_name()}" if subject is None else subject


def login_name() -> str:
    """The login name of the user that runs this process, or the user's number where there is no name."""
    user = os.getuid()
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


@dataclass(frozen=True, slots=True)
class Act:
    """An act of whoever runs this process; `why` is None where they did not say.

    `actor`: the subject of the token that is presented, else `cli:<login name>`, or the user's number without a name.
    """

    why: str | None
    actor: str = field(default_factory=_actor)

    def metadata(self) -> bytes:
        """The metadata of a record that says what was done."""
        said = {} if self.why is None else {"why": self.why}
        return json.dumps({"actor": self.actor, **said}).encode()

    def log(self, event: str, **members: object) -> None:
        """Logs what was done."""
        said = {} if self.why is None else {"why": self.why}
        _log.info(event, actor=self.actor, **said, **members)
