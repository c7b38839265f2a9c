"""The API's connections to the event store and Redis; it starts without them, and says which one it waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

import structlog
from redis.exceptions import RedisError

from domain.saga import Saga
from infrastructure.access.access_log import AccessLog
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient, connect, is_connected, unconnected_client
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.group_state import GroupState, group_state
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.uri import address_in
from infrastructure.outages import Outages
from infrastructure.readmodels.commit_listener import CommitListener
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.redis_policy import misconfiguration
from infrastructure.readmodels.redis_writes import Refusal, require_readable, write_refusal
from infrastructure.readmodels.servers import Primary, Servers, servers_at
from infrastructure.readmodels.uri import address_in as redis_address_in
from infrastructure.sagas.filters import filter_id, group_name, pattern_of
from infrastructure.sagas.sweep_checkpoint import SweepCheckpoint, SweepCheckpoints
from infrastructure.views.view_reads import ViewReads
from service.consumers import SAGAS, groups_of
from service.http.history_threads import HistoryThreads
from service.http.parked_groups import ParkedGroups
from service.http.revocation_copy import RevocationCopy
from service.http.store_looks import StoreLooks
from service.http.store_use import StoreUse, patience_of
from service.settings import Settings

T = TypeVar("T")
_CHECK_SECONDS: Final = 1.0
_FIRST_WAIT: Final = 0.25  # seconds between two attempts to reach the event store; doubled each time
_LONGEST_WAIT: Final = 5.0
_REQUESTS: Final = "requests"  # all of them miss a server together
_SEARCH: Final = "search"
_log: Final = structlog.stdlib.get_logger("foldstream.http")


class Connections:
    """What commands, queries and histories need, as soon as it is there."""

    def __init__(self, settings: Settings) -> None:
        self.store_address: Final = address_in(settings.eventstore)
        self.redis_address: Final = redis_address_in(settings.redis)
        self.outages: Final = Outages()
        self._looks: Final = StoreLooks(self.store_address, patience_of(settings), self.outages.eventstore)
        self.circuit: Final = self._looks.circuit
        self.history_threads: Final = HistoryThreads(
            settings.eventstore, settings.histories_at_once, settings.history_seconds, self.circuit
        )
        self._settings: Final = settings
        self._redis: Final[Servers] = servers_at(settings.redis, settings.read_seconds)
        self.commits: Final = CommitListener(self._redis, settings.namespace)
        self.revocation_copy: Final = RevocationCopy(self._redis, settings.namespace)
        self.sagas: Final = {saga.category: saga for saga in SAGAS}
        self.found: Final = asyncio.Event()  # the event store, since the start
        self._counts: Final = CommandCounts()
        self._queries_client: CommandClient | None = None
        self._read_models: ReadModels | None = None

    @property
    def store(self) -> StoreUse:
        """What commands use. Raises StoreUnavailable before the event store was found."""
        if self._looks.using is None:
            raise StoreUnavailable(self.store_address, self._looks.reason)
        return self._looks.using

    @property
    def handler(self) -> CommandHandler:
        """Raises StoreUnavailable before the event store was found."""
        return self.store.handler

    @property
    def access_log(self) -> AccessLog:
        """Raises StoreUnavailable before the event store was found."""
        return self.store.access_log

    async def store_identity(self) -> str:
        """Of the store that commands go to, given to it now if it had none. Raises StoreUnavailable."""
        return await self.store.current_store.identity()

    @property
    def log(self) -> Log:
        """The log of the event store. Raises StoreUnavailable before that was found."""
        return Log(self.store.client)

    @property
    def counts(self) -> CommandCounts:
        """What the handling of commands has counted, and how long calls to the servers took."""
        return self._counts

    @property
    def read_models(self) -> ReadModels:
        """They need no event store. Raises ReadModelUnavailable before the search for it has begun."""
        if self._read_models is None:
            raise ReadModelUnavailable("every read model", "this process is just starting")
        return self._read_models

    def models_in(self, view: str | None) -> ReadModels:
        """The read models, or those of the views of the past that have this name. Raises as `read_models`."""
        models = self.read_models
        if view is None:
            return models
        reads = ViewReads(self._redis, self._settings.namespace, models.seen, self._settings.read_seconds)
        return models.reading(reads.of(view))

    async def find_store(self) -> None:
        """Tries until the event store answers, with growing pauses."""
        wait = _FIRST_WAIT
        while (reason := await self._try_to_connect()) is not None:
            self.outages.failed(_SEARCH, StoreUnavailable(self.store_address, reason))
            self.circuit.suspect()
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        self.found.set()
        self.outages.succeeded(_SEARCH)
        _log.info("eventstore_found", address=self.store_address)

    def missed(self, error: BaseException) -> bool:
        """Notes that a request failed with this error; False where neither a server nor a read model was away."""
        if self.outages.failed(_REQUESTS, error):
            return True
        if isinstance(error, ReadModelUnavailable):
            self.outages.met_elsewhere(f"read model {error.projection}", _REQUESTS, str(error))
            return True
        return False

    async def watch_outages(self) -> None:
        """Looks each second whether a server that requests missed is there again, and logs what is due; never ends."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            store, redis = self.outages.eventstore, self.outages.redis
            if store.is_missed_by(_REQUESTS) and not (await self.store_fault() or await self.write_fault()):
                store.succeeded(_REQUESTS)
            if redis.is_missed_by(_REQUESTS) and not await self.redis_fault():
                redis.succeeded(_REQUESTS)
            self.outages.tick()

    @property
    def end(self) -> int:
        """The end of the log, when it was last looked at."""
        return self._looks.end

    async def store_fault(self) -> str | None:
        """Why the event store can't be read now, None where it can. Takes about a second at most."""
        return await self._looks.read_fault()

    async def write_fault(self) -> str | None:
        """Why the event store takes no appends now, None where it does. Takes as long as an append at most."""
        return await self._looks.write_fault()

    async def group_state(self, saga: Saga[Any, Any]) -> GroupState | None:
        """The state of a saga's group, None where there is none yet. Raises StoreUnavailable, within two seconds."""
        name = group_name(groups_of(saga, self._settings.namespace), filter_id(pattern_of(saga)))
        found = await group_state(self.store.client, name, _CHECK_SECONDS)
        return found and replace(found, parked=await self.parked_groups.count(name, found.parked))

    @property
    def parked_groups(self) -> ParkedGroups:
        """What groups have parked. Raises StoreUnavailable where no store was found yet."""
        return ParkedGroups(self.store.client, self.handler.streams, self._settings.namespace)

    async def sweep_of(self, saga: Saga[Any, Any]) -> SweepCheckpoint:
        """How far a saga's sweep of the log has come. Raises StoreUnavailable, within a second, and UnreadableEvent."""
        checkpoints = SweepCheckpoints(self.handler.streams, saga.category, filter_id(pattern_of(saga)))
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                return await checkpoints.read()
        except TimeoutError as error:
            raise StoreUnavailable(self.store_address, f"no answer within {_CHECK_SECONDS:g} s") from error

    async def stopped_instances(self) -> Mapping[str, list[str]]:
        """The streams of the instances that have stopped, by saga, as far as is known within half a second."""
        using = self._looks.using
        return {} if using is None else await using.stopped_sagas.look()

    async def redis_fault(self) -> str | None:
        """Why Redis can't be read now, None where it can. Takes about a second at most."""

        async def fault(server: Primary) -> None:
            await require_readable(server.client, self._settings.namespace, server.slot)

        try:
            await self._first_found(fault)
        except TimeoutError:
            return f"no answer within {_CHECK_SECONDS:g} s"
        except (RedisError, OSError) as error:
            return str(error)
        return None

    async def redis_refusal(self) -> Refusal | None:
        """Why Redis takes no writes now, None where it does or where it does not answer within a second."""

        async def refusal(server: Primary) -> Refusal | None:
            found = await write_refusal(server.client, self._settings.namespace, server.slot)
            return found and replace(found, reason=server.said(found.reason))

        try:
            return await self._first_found(refusal)
        except (RedisError, OSError, TimeoutError):
            return None

    async def redis_misconfiguration(self) -> str | None:
        """What Redis is not set to, None where all is well or where it does not answer within a second."""

        async def fault(server: Primary) -> str | None:
            found = await misconfiguration(server.client)
            return found and server.said(found)

        try:
            return await self._first_found(fault)
        except (RedisError, OSError, TimeoutError):
            return None

    async def _first_found(self, look: Callable[[Primary], Awaitable[T | None]]) -> T | None:
        """What is found first at the servers of Redis, all of which are looked at, within a second."""
        async with asyncio.timeout(_CHECK_SECONDS):
            found = await asyncio.gather(*map(look, await self._redis.primaries()))
        return next((each for each in found if each is not None), None)

    async def close(self) -> None:
        """Ends all connections."""
        self.history_threads.close()
        await self._looks.close()
        for each in (self._looks.using, self._queries_client):
            if each is not None:
                await each.close()
        await self._redis.aclose()

    async def _try_to_connect(self) -> str | None:
        """Connects where that was not done yet; why the event store can't be used, None where it can."""
        try:
            await self._connect()
        except StoreUnavailable as error:
            self._looks.reason = error.reason
        return await self.store_fault()

    async def _connect(self) -> None:
        """Commands and queries get a client each: at most 100 calls at once fit on one's connection.

        Queries are answered before theirs is connected.
        """
        uri, settings = self._settings.eventstore, self._settings
        if self._queries_client is None:
            self._queries_client = unconnected_client(uri)
            self._read_models = ReadModels(
                self._redis,
                self._queries_client,
                settings.namespace,
                read_seconds=settings.read_seconds,
                listener=self.commits,
                measured=self._counts.calls,
            )
        if self._looks.using is None:
            self._looks.using = await StoreUse.begun(settings, self.outages, self._counts, self.circuit)
        if not is_connected(self._queries_client):
            await connect(self._queries_client)
