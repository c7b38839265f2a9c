"""Keys at an address, fetched in the background and kept for a while when the address is away."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import httpx
import structlog

from infrastructure.access.errors import KeysUnavailable, KeysUnusable
from infrastructure.access.verification_keys import LARGEST, VerificationKeys, keys_in

EVERY: Final = 300.0  # seconds between two looks
SOONEST: Final = 10.0  # seconds after a look, before a key that is not there is a reason for another
KEPT: Final = 24 * 3600.0  # seconds that keys stay good after they were last fetched
_SECONDS: Final = 5.0  # that an answer may take
_logger: Final = structlog.get_logger(__name__)


class KeyAddress:
    """A JWK set over HTTP. `clock` gives seconds that only grow."""

    def __init__(self, url: str, algorithms: frozenset[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.algorithms: Final = algorithms
        self._url: Final = url
        self._clock: Final = clock
        self._keys: VerificationKeys | None = None
        self._fetched = self._looked = -KEPT
        self._away = False
        self._wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def pause(self) -> float:
        """Seconds between two looks, fewer while the address is away."""
        return SOONEST if self._away else EVERY

    def current(self) -> VerificationKeys:
        """The keys as they were last fetched. Raises KeysUnavailable where that was never, or too long ago."""
        if self._keys is None:
            raise KeysUnavailable("the keys by which tokens are verified have not been fetched yet")
        if self._clock() - self._fetched > KEPT:
            raise KeysUnavailable("the keys by which tokens are verified could not be fetched for a day")
        return self._keys

    def missed(self) -> None:
        """A key that is not there is a reason to look sooner; as often as that is asked for, not more often."""
        if self._loop is not None and self._clock() - self._looked >= SOONEST:
            self._loop.call_soon_threadsafe(self._wanted.set)

    async def follow(self) -> None:
        """Looks at once, then each five minutes, or soon where the address was away or a key was missed; never ends."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._wanted.clear()
            await self.refresh()
            try:
                async with asyncio.timeout(self.pause):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def refresh(self) -> None:
        """Looks once. Where that fails the keys stay as they are, and the log says so once."""
        self._looked = self._clock()
        try:
            keys = keys_in(await self._fetch(), self._url)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, KeysUnusable) as error:
            self._miss(str(error) or type(error).__name__)
            return
        if self._away:
            _logger.info("access_keys_found", source=self._url)
        if self._keys is None or [key.kid for key in keys.keys] != [key.kid for key in self._keys.keys]:
            _logger.info("access_keys_read", source=self._url, key_ids=[key.kid for key in keys.keys])
        self._keys, self._fetched, self._away = keys, self._clock(), False

    def _miss(self, reason: str) -> None:
        if not self._away:
            _logger.warning("access_keys_away", source=self._url, reason=reason)
        self._away = True

    async def _fetch(self) -> bytes:
        """The answer's body. Redirects are not followed, a large answer is not read to its end."""
        headers = {"Accept": "application/jwk-set+json, application/json"}
        async with (
            asyncio.timeout(_SECONDS),
            httpx.AsyncClient(timeout=_SECONDS, headers=headers) as client,
            client.stream("GET", self._url) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise KeysUnusable(self._url, f"the answer has status {answer.status_code}")
            return await _start_of(answer)


async def _start_of(answer: httpx.Response) -> bytes:
    content = b""
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > LARGEST:
            break
    return content
