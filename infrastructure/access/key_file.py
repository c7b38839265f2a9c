"""Keys in a file, which is read again when it changes, so that they are rotated without a restart."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from infrastructure.access.errors import KeysUnusable
from infrastructure.access.verification_keys import (
    DEVELOPMENT_ALGORITHM,
    LARGEST,
    VerificationKeys,
    development_key_in,
    keys_in,
)
from infrastructure.file_state import file_state

_EVERY: Final = 1.0  # seconds
_logger: Final = structlog.get_logger(__name__)


class KeyFile:
    """A JWK set, a JWK or PEM blocks. Raises KeysUnusable where it holds no keys when this begins.

    A later content that can't be used changes nothing: the keys that were read stay good, and the log says so.
    """

    def __init__(
        self,
        path: Path,
        algorithms: frozenset[str],
        read: Callable[[bytes, str], VerificationKeys] = keys_in,
    ) -> None:
        self.algorithms: Final = algorithms
        self.pause: Final = _EVERY
        self._path: Final = path
        self._read: Final = read
        self._seen = file_state(path)
        self._keys = self._load()

    def current(self) -> VerificationKeys:
        """The keys as they were last read."""
        return self._keys

    def missed(self) -> None:
        """A file is looked at each second anyway."""

    async def refresh(self) -> None:
        """Reads the file again, if it has changed."""
        await asyncio.to_thread(self.look)

    async def follow(self) -> None:
        """Looks each second whether the file has changed; never ends."""
        while True:
            await asyncio.sleep(self.pause)
            await self.refresh()

    def look(self) -> None:
        """Reads the file again, if it has changed since it was last read."""
        seen = file_state(self._path)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._keys = self._load()
        except KeysUnusable as error:
            _logger.warning("access_keys_unusable", source=error.source, reason=error.reason)
        else:
            _logger.info("access_keys_read", source=str(self._path), key_ids=[key.kid for key in self._keys.keys])

    def _load(self) -> VerificationKeys:
        try:
            with self._path.open("rb") as file:
                content = file.read(LARGEST + 1)
        except OSError as error:
            raise KeysUnusable(str(self._path), error.strerror or "it can't be read") from error
        return self._read(content, str(self._path))


def development_key_file(path: Path) -> KeyFile:
    """The development key as a source of keys. Raises KeysUnusable."""
    return KeyFile(path, frozenset({DEVELOPMENT_ALGORITHM}), development_key_in)
