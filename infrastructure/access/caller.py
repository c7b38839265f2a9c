"""Who asks: what a verified token, or the command line, says of whoever sends a request."""

from dataclasses import dataclass
from typing import Final

from domain.stream_name import DEFAULT_TENANT


@dataclass(frozen=True, slots=True)
class Caller:
    """A subject with its roles in one tenant. The subject is the actor of what follows from the request."""

    subject: str
    roles: frozenset[str]
    tenant: str = DEFAULT_TENANT


ANONYMOUS: Final = Caller("anonymous", frozenset())
