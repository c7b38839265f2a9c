"""Who asks: what a verified token, or the command line, says of whoever sends a request."""

from dataclasses import dataclass
from typing import Final

from domain.stream_name import DEFAULT_TENANT


@dataclass(frozen=True, slots=True)
class Caller:
    """A subject with its roles in one tenant. The subject is the actor of what follows from the request.

    Of a token also its id, and when it was issued and expires, in seconds since 1970; None where it does not say so,
    or where there is no token.
    """

    subject: str
    roles: frozenset[str]
    tenant: str = DEFAULT_TENANT
    token_id: str | None = None
    issued_at: float | None = None
    expires_at: float | None = None


ANONYMOUS: Final = Caller("anonymous", frozenset())
SAGA: Final = "saga:"
"""How the actor of what a saga does begins; its name follows."""
COMMAND_LINE: Final = "cli:"
"""How the subject begins of whoever uses the command line without a token; the login name follows."""
