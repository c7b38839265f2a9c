"""Finds out whether the event store takes appends, by one that it must refuse: nothing is ever written."""

from typing import Final

from infrastructure.eventstore.appender import ANSWER_SECONDS, Appender
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import (
    AppendRefused,
    EventStoreError,
    StoreUnavailable,
    StreamGone,
    WrongExpectedVersion,
)
from infrastructure.eventstore.identity import IDENTITY_STREAM

_NEVER: Final = 2**62
"""A version that no stream comes to: an append at it is refused, also while there is no such stream at all."""


class WriteProbe:
    """Appends nothing, at a version that can't be, to the stream of the store's identity.

    The store judges versions where it writes: "wrong version" is said by a store that is able to write. The probe has a
    call of its own, is never sent again, and ends within the time that an append has.
    """

    def __init__(self, client: CommandClient, seconds: float = ANSWER_SECONDS) -> None:
        self._appender: Final = Appender(client, seconds=seconds)

    async def fault(self) -> str | None:
        """Why appends fail now; None where they succeed."""
        try:
            await self._appender.append(IDENTITY_STREAM, _NEVER, [])
        except (WrongExpectedVersion, StreamGone):
            return None
        except (StoreUnavailable, AppendRefused) as error:
            return error.reason
        except EventStoreError as error:
            return str(error)
        return f"{IDENTITY_STREAM} was appended to at version {_NEVER}"

    async def close(self) -> None:
        """Ends its call."""
        await self._appender.close()
