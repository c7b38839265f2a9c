"""A copy of what is revoked, beside the rows in Redis: for an API that starts while the event store is away."""

import asyncio
from typing import Final

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from redis.exceptions import RedisError

from infrastructure.access.revocations import Revocations
from infrastructure.readmodels.servers import Servers

_log: Final = structlog.stdlib.get_logger("foldstream.http")
_SECONDS: Final = 0.5  # what is revoked is read each second, whatever becomes of Redis


class _Subject(BaseModel):
    model_config = ConfigDict(frozen=True)

    tenant: str
    subject: str
    before: float


class _Copy(BaseModel):
    """As it is stored; later releases may add members."""

    model_config = ConfigDict(frozen=True)

    token_ids: tuple[str, ...]
    subjects: tuple[_Subject, ...]


class RevocationCopy:
    """One key of the namespace, in Redis as the rows are."""

    def __init__(self, servers: Servers, namespace: str) -> None:
        self._servers: Final = servers
        self._key: Final = f"{namespace}:revocations"
        self._is_told = False

    async def read(self) -> Revocations | None:
        """What was revoked when it was last written; None where there is none, or Redis does not tell."""
        try:
            async with asyncio.timeout(_SECONDS):
                stored = await (await self._servers.at(self._key)).get(self._key)
            return None if stored is None else _revocations(_Copy.model_validate_json(stored))
        except ValidationError as error:
            if not self._is_told:
                self._is_told = True
                _log.warning("revocation_copy_unreadable", key=self._key, faults=error.error_count())
            return None
        except (RedisError, OSError, TimeoutError):  # of which readiness tells
            return None

    async def write(self, revoked: Revocations) -> bool:
        """Writes the copy where Redis has another one. False where Redis does not take it in time."""
        text = _text(revoked)
        try:
            async with asyncio.timeout(_SECONDS):
                server = await self._servers.at(self._key)
                if await server.get(self._key) != text:
                    await server.set(self._key, text)
        except (RedisError, OSError, TimeoutError):  # it is written again in a moment
            return False
        return True


def _text(revoked: Revocations) -> bytes:
    subjects = sorted(revoked.subjects.items())
    told = tuple(_Subject(tenant=tenant, subject=subject, before=before) for (tenant, subject), before in subjects)
    return _Copy(token_ids=tuple(sorted(revoked.token_ids)), subjects=told).model_dump_json().encode()


def _revocations(copy: _Copy) -> Revocations:
    return Revocations(frozenset(copy.token_ids), {(each.tenant, each.subject): each.before for each in copy.subjects})
