"""Decides who a caller is, call by call, without computing a password's hash for each."""

import asyncio
import hashlib
import os
import secrets
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import structlog

from infrastructure.embedded.eventstoredb.access.passwords import PasswordHash
from infrastructure.embedded.eventstoredb.access.users import load_users
from infrastructure.embedded.eventstoredb.errors import StartRefused

Credentials: TypeAlias = tuple[str, str]
_REFUSALS_REMEMBERED = 1024
logger = structlog.get_logger()


class WrongCredentials(Exception):
    """Nobody has this name, or the password is another; which of the two is not said."""


class Logins:
    """The users of a file. When that is replaced, the next call is judged by the new one."""

    def __init__(self, path: Path) -> None:
        """Raises StartRefused."""
        self._path = path
        self._seen = _signature(path)
        self._roll = _Roll(load_users(path))

    async def admit(self, authorization: str) -> bool:
        """Whether this header makes the caller one of the users; False if it names nobody. Raises WrongCredentials."""
        given = _credentials(authorization)
        if given is None:
            return False
        self._read_again()
        if not await self._roll.is_right(given):
            raise WrongCredentials
        return True

    def _read_again(self) -> None:
        signature = _signature(self._path)
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._roll = self._roll.renewed(load_users(self._path))
            logger.info("users_read", path=str(self._path))
        except StartRefused as error:
            logger.error("users_kept", reason=str(error))


class _Roll:
    """One state of the file, and which credentials were right or wrong by it.

    Remembered are digests under a key that only this process has: whoever reads them learns no password.
    """

    def __init__(self, users: Mapping[str, PasswordHash]) -> None:
        self._users = users
        self._nobody = PasswordHash.nobodys()
        self._key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}
        self._wrong: dict[bytes, str] = {}
        self._turn = asyncio.Lock()

    def renewed(self, users: Mapping[str, PasswordHash]) -> "_Roll":
        """The next state: what was found out still holds for whose line is the same, also for who has none.

        A password that is being checked is judged by the state at which that began.
        """
        new = _Roll(users)
        new._key, new._turn = self._key, self._turn
        new._right = {name: mark for name, mark in self._right.items() if users.get(name) == self._users.get(name)}
        new._wrong = {mark: name for mark, name in self._wrong.items() if users.get(name) == self._users.get(name)}
        return new

    async def is_right(self, given: Credentials) -> bool:
        mark = self._mark(given)
        known = self._remembered(given, mark)
        if known is not None:
            return known
        async with self._turn:  # one at a time: a hash takes a core; and callers with the same wait for one answer
            known = self._remembered(given, mark)
            return await self._find_out(given, mark) if known is None else known

    def _mark(self, given: Credentials) -> bytes:
        return hashlib.blake2b(":".join(given).encode(), key=self._key, digest_size=32).digest()

    def _remembered(self, given: Credentials, mark: bytes) -> bool | None:
        if self._right.get(given[0]) == mark:
            return True
        return False if mark in self._wrong else None

    async def _find_out(self, given: Credentials, mark: bytes) -> bool:
        name, password = given
        stored = self._users.get(name, self._nobody)
        if not await _uninterrupted(stored, password):
            self._wrong[mark] = name
            if len(self._wrong) > _REFUSALS_REMEMBERED:
                del self._wrong[next(iter(self._wrong))]
            return False
        self._right[name] = mark
        return True


async def _uninterrupted(stored: PasswordHash, password: str) -> bool:
    """In a thread. A caller who goes away still waits for its end, so that never more than one runs."""
    checking = asyncio.create_task(asyncio.to_thread(stored.matches, password))
    try:
        return await asyncio.shield(checking)
    except asyncio.CancelledError:
        await asyncio.wait({checking})
        raise


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _credentials(authorization: str) -> Credentials | None:
    """What `Basic` carries; whatever else, or nonsense, names nobody."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme != "Basic":
        return None
    try:
        name, colon, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon else None
