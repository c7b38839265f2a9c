"""Which groups there are, as an event in the log that outlives the server."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.embedded.eventstoredb.filters.selection import Selection
from infrastructure.embedded.eventstoredb.groups.definition import ALL, Definition, Settings
from infrastructure.embedded.eventstoredb.groups.system_streams import METADATA, json_record
from infrastructure.embedded.eventstoredb.log import ANY, MAX, EventLog
from infrastructure.times import time_text

STREAM = "$persistentSubscriptionConfig"
TYPE = "$PersistentConfig"
KEPT = 2
NAMES = {
    "resolve_links": "resolveLinkTos",
    "extra_statistics": "extraStatistics",
    "message_timeout_ms": "messageTimeout",
    "max_retry_count": "maxRetryCount",
    "min_checkpoint_count": "minCheckPointCount",
    "max_checkpoint_count": "maxCheckPointCount",
    "checkpoint_after_ms": "checkPointAfter",
    "max_subscriber_count": "maxSubscriberCount",
    "live_buffer_size": "liveBufferSize",
    "read_batch_size": "readBatchSize",
    "history_buffer_size": "historyBufferSize",
    "consumer_strategy": "namedConsumerStrategy",
}


class Configuration:
    """The last event of the stream lists all groups; the one before it is kept, older ones are hidden."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def load(self) -> list[Definition]:
        """Raises StartRefused where the list can't be read."""
        if not self._log.stream_exists(STREAM):
            return []
        kept = self._log.read_stream_backwards(STREAM, MAX, KEPT)
        newest = next((record for record in kept if record.type == TYPE), None)
        try:
            return [] if newest is None else list(map(_definition, json.loads(newest.data)["entries"]))
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise StartRefused(f"the list of persistent subscriptions is not readable: {error!r}") from error

    async def prepare(self) -> None:
        """Has older lists hidden, before the first is written; raises LogError."""
        if self._log.last_number(f"$${STREAM}") < 0:
            await self._log.append(f"$${STREAM}", ANY, [json_record(METADATA, {"$maxCount": KEPT})])

    async def save(self, definitions: Iterable[Definition]) -> None:
        """Raises LogError."""
        document = {
            "version": "2",
            "updated": time_text(datetime.now(UTC)),
            "entries": [_entry(definition) for definition in definitions],
        }
        await self._log.append(STREAM, ANY, [json_record(TYPE, document)])


def _entry(definition: Definition) -> dict[str, Any]:
    settings = asdict(definition.settings)
    entry = {
        "stream": definition.source,
        "group": definition.group,
        "startPosition": definition.format_position(definition.start),
        **{name: settings[field] for field, name in NAMES.items()},
    }
    return entry if definition.selection is None else entry | {"filter": asdict(definition.selection)}


def _definition(entry: dict[str, Any]) -> Definition:
    chosen = entry.get("filter")
    if chosen is not None:
        chosen = Selection(chosen["by_stream"], chosen["regex"], tuple(chosen["prefixes"]))
    return Definition(
        stream=None if entry["stream"] == ALL else entry["stream"],
        group=entry["group"],
        start=int(entry["startPosition"].partition("/")[0].removeprefix("C:")),
        settings=Settings(**{field: entry[name] for field, name in NAMES.items()}),
        selection=chosen,
    )
