"""Read models as commands ask about them: on connections of their own, each answer within five seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.exceptions import RedisError

from infrastructure.eventstore.client import command_client
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import Servers, servers_at
from infrastructure.readmodels.uri import address_in
from service.errors import RedisUnavailable
from service.settings import Settings

SECONDS: Final = 5.0


@asynccontextmanager
async def asked_read_models(settings: Settings) -> AsyncIterator[tuple[Servers, ReadModels]]:
    """The servers of Redis and what they hold. Raises SettingsError, StoreUnavailable."""
    client = await command_client(settings.eventstore)
    servers = servers_at(settings.redis, SECONDS)
    try:
        yield servers, ReadModels(servers, client, settings.namespace)
    finally:
        await servers.aclose()
        await client.close()


@asynccontextmanager
async def asking_redis(settings: Settings) -> AsyncIterator[None]:
    """Raises RedisUnavailable for what Redis raises, and where it does not answer within five seconds."""
    address = address_in(settings.redis)
    try:
        async with asyncio.timeout(SECONDS):
            yield
    except TimeoutError as error:
        raise RedisUnavailable(address, f"no answer within {SECONDS:g} s") from error
    except (RedisError, OSError) as error:
        raise RedisUnavailable(address, str(error)) from error
