"""Records that carry a digest of what they say, so that one which was altered or damaged is not believed."""

import json
from collections.abc import Mapping
from hashlib import sha256
from uuid import uuid4

from esdbclient import NewEvent, RecordedEvent


def digested(kind: str, body: Mapping[str, object]) -> NewEvent:
    """The record of this type that says so."""
    data = json.dumps(body).encode()
    return NewEvent(type=kind, data=data, metadata=_metadata(data), id=uuid4())


def is_unaltered(record: RecordedEvent) -> bool:
    """Whether a record says what was written, as far as nobody wrote it that knows how."""
    return record.metadata == _metadata(record.data)


def _metadata(data: bytes) -> bytes:
    return json.dumps({"sha256": sha256(data).hexdigest()}).encode()
