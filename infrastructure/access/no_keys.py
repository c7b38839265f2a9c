"""Where no keys are named: no token is believed."""

import asyncio
import math
from typing import Final

from infrastructure.access.errors import KeysUnavailable
from infrastructure.access.verification_keys import VerificationKeys


class NoKeys:
    """A source without keys."""

    algorithms: Final[frozenset[str]] = frozenset()
    pause: Final = math.inf

    def current(self) -> VerificationKeys:
        """Raises KeysUnavailable."""
        raise KeysUnavailable("no keys are set up here, so that no token can be verified")

    def missed(self) -> None:
        """There is nothing to be fetched."""

    async def refresh(self) -> None:
        """There is nothing to be read."""

    async def follow(self) -> None:
        """Never ends."""
        await asyncio.Event().wait()
