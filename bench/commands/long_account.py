"""An account with a long stream, written straight into the log."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

from bench.commands.work import deposited, opened
from bench.store.log import fill_stream
from domain.accounts import account
from domain.stream_name import stream_name
from infrastructure.embedded.eventstoredb.storage import record as storage
from infrastructure.eventstore.record import NewRecord


def long_account(folder: Path, command_ids: Sequence[UUID]) -> str:
    """The id of a new account, which was paid into by these commands; each event is as the service writes it."""
    account_id = str(uuid4())
    fill_stream(folder, stream_name(account.decider.category, account_id), _events(account_id, command_ids))
    return account_id


def _events(account_id: str, command_ids: Sequence[UUID]) -> Iterator[storage.PendingRecord]:
    """Only ids differ from deposit to deposit: writing each anew would take a minute."""
    yield _record(opened(account_id))
    event = deposited(account_id)
    written = json.loads(event.metadata)["command_id"].encode()
    for command_id in command_ids:
        yield _record(event, event.metadata.replace(written, str(command_id).encode()))


def _record(event: NewRecord, metadata: bytes | None = None) -> storage.PendingRecord:
    return storage.PendingRecord(
        uuid4(), event.type, True, event.data, event.metadata if metadata is None else metadata
    )
