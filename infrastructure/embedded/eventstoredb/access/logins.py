"""Authenticates callers, call by call, without computing a password's hash for each."""

import asyncio
import hashlib
import secrets
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import structlog

from infrastructure.embedded.eventstoredb.access.passwords import PasswordHash
from infrastructure.embedded.eventstoredb.access.users import load_users
from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.file_state import file_state

Credentials: TypeAlias = tuple[str, str]
_REFUSALS_REMEMBERED = 1024
logger = structlog.get_logger()


class WrongCredentials(Exception):
    """The user is unknown or the password is wrong; which of the two is not said."""


class Logins:
    """The users of a file. When that is replaced, the next call is judged by the new one."""

    def __init__(self, path: Path) -> None:
        """Raises StartRefused."""
        self._path = path
        self._seen = file_state(path)
        self._known = _KnownCredentials(load_users(path))

    async def admit(self, authorization: str) -> bool:
        """Whether this header names a user with the right password; False if it names none. Raises WrongCredentials."""
        given = _credentials(authorization)
        if given is None:
            return False
        self._read_again()
        if not await self._known.is_right(given):
            raise WrongCredentials
        return True

    def _read_again(self) -> None:
        signature = file_state(self._path)
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._known = self._known.renewed(load_users(self._path))
            logger.info("users_read", path=str(self._path))
        except StartRefused as error:
            logger.error("users_kept", reason=str(error))


class _KnownCredentials:
    """One state of the file, and which credentials were right or wrong by it.

    It keeps digests under a key that only this process has: they reveal no password.
    """

    def __init__(self, users: Mapping[str, PasswordHash]) -> None:
        self._users = users
        self._unmatchable = PasswordHash.unmatchable()
        self._key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}
        self._wrong: dict[bytes, str] = {}
        self._lock = asyncio.Lock()

    def renewed(self, users: Mapping[str, PasswordHash]) -> "_KnownCredentials":
        """The next state. What is known of a user whose line in the file has not changed stays known.

        A password that is being checked is judged by the state in which the check began.
        """
        new = _KnownCredentials(users)
        new._key, new._lock = self._key, self._lock
        new._right = {
            name: fingerprint for name, fingerprint in self._right.items() if users.get(name) == self._users.get(name)
        }
        new._wrong = {
            fingerprint: name for fingerprint, name in self._wrong.items() if users.get(name) == self._users.get(name)
        }
        return new

    async def is_right(self, given: Credentials) -> bool:
        fingerprint = self._fingerprint(given)
        known = self._remembered(given, fingerprint)
        if known is not None:
            return known
        async with self._lock:  # one at a time: a hash takes a core; and callers with the same wait for one answer
            known = self._remembered(given, fingerprint)
            return await self._verify(given, fingerprint) if known is None else known

    def _fingerprint(self, given: Credentials) -> bytes:
        return hashlib.blake2b(":".join(given).encode(), key=self._key, digest_size=32).digest()

    def _remembered(self, given: Credentials, fingerprint: bytes) -> bool | None:
        if self._right.get(given[0]) == fingerprint:
            return True
        return False if fingerprint in self._wrong else None

    async def _verify(self, given: Credentials, fingerprint: bytes) -> bool:
        name, password = given
        stored = self._users.get(name, self._unmatchable)
        if not await _uninterrupted(stored, password):
            self._wrong[fingerprint] = name
            if len(self._wrong) > _REFUSALS_REMEMBERED:
                del self._wrong[next(iter(self._wrong))]
            return False
        self._right[name] = fingerprint
        return True


async def _uninterrupted(stored: PasswordHash, password: str) -> bool:
    """In a thread. A caller who goes away still waits for its end, so that never more than one runs."""
    checking = asyncio.create_task(asyncio.to_thread(stored.matches, password))
    try:
        return await asyncio.shield(checking)
    except asyncio.CancelledError:
        await asyncio.wait({checking})
        raise


def _credentials(authorization: str) -> Credentials | None:
    """Name and password of a `Basic` header; None for anything else."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme != "Basic":
        return None
    try:
        name, colon, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon else None
