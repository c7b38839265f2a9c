"""What the API does with the event store over the client that commands share: it begins and ends together."""

from dataclasses import dataclass
from typing import Final, Self

from infrastructure.access.access_log import AccessLog
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.circuit import Circuit
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.eventstore.client import CommandClient, command_client
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.current_store import CurrentStore
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.write_probe import WriteProbe
from infrastructure.outages import Outages
from infrastructure.sagas.stopped_instances import StoppedInstances
from service.consumers import EVENTS, SNAPSHOTS
from service.settings import Settings

_PATIENCE: Final = 0.75  # of the time that a command has: the rest is for its answer
_CALL: Final = 0.625  # of that time, for a single call: one that was lost leaves time for another


def patience_of(settings: Settings) -> float:
    """Seconds for which a store that is away is tried."""
    return _PATIENCE * settings.command_seconds


@dataclass(frozen=True, slots=True)
class StoreUse:
    """The client, and what is done over it."""

    client: CommandClient
    handler: CommandHandler
    access_log: AccessLog
    current_store: CurrentStore
    stopped_sagas: StoppedInstances
    write_probe: WriteProbe

    @classmethod
    async def begun(cls, settings: Settings, outages: Outages, counts: CommandCounts, circuit: Circuit) -> Self:
        """Raises StoreUnavailable where a cluster does not answer; a single node need not be there."""
        client = await command_client(settings.eventstore)
        call_seconds = _CALL * settings.command_seconds
        bounds = Bounds(
            patience=patience_of(settings),
            call_seconds=call_seconds,
            calls_at_once=settings.commands_at_once,
            cached=settings.cached_aggregates,
            queued=settings.commands_at_once // 2,
            circuit=circuit,
        )
        handler = CommandHandler(
            client, EventCodec(EVENTS), bounds=bounds, snapshots=SNAPSHOTS, counts=counts, outages=outages
        )
        return cls(
            client,
            handler,
            AccessLog(handler.streams),
            CurrentStore(handler.streams),
            StoppedInstances(Log(client)),
            WriteProbe(client, call_seconds),
        )

    async def close(self) -> None:
        """Ends its calls, then the connection."""
        for each in (self.write_probe, self.stopped_sagas, self.access_log, self.handler):
            await each.close()
        await self.client.close()
