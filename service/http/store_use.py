"""What the API does with the event store over the client that commands share: it begins and ends together."""

from dataclasses import dataclass
from typing import Final, Self

from infrastructure.access.access_log import AccessLog
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.circuit import Circuit
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.eventstore.client import CommandClient, address_of, command_client
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


@dataclass(frozen=True, slots=True)
class StoreUse:
    """`circuit` has a probe of its own, so that readiness and it do not wait for each other."""

    client: CommandClient
    handler: CommandHandler
    circuit: Circuit
    access_log: AccessLog
    current_store: CurrentStore
    stopped_sagas: StoppedInstances
    write_probe: WriteProbe
    circuit_probe: WriteProbe

    @classmethod
    async def begun(cls, settings: Settings, outages: Outages, counts: CommandCounts) -> Self:
        """Raises StoreUnavailable where a cluster does not answer; a single node need not be there."""
        client = await command_client(settings.eventstore)
        patience, call_seconds = _PATIENCE * settings.command_seconds, _CALL * settings.command_seconds
        probe = WriteProbe(client, call_seconds)
        circuit = Circuit(address_of(client), probe.fault, patience)
        bounds = Bounds(
            patience=patience,
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
            circuit,
            AccessLog(handler.streams),
            CurrentStore(handler.streams),
            StoppedInstances(Log(client)),
            WriteProbe(client),
            probe,
        )

    async def close(self) -> None:
        """Ends its calls, then the connection."""
        await self.circuit.close()
        for each in (self.circuit_probe, self.write_probe, self.stopped_sagas, self.access_log, self.handler):
            await each.close()
        await self.client.close()
