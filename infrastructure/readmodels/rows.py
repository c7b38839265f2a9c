"""Encodes rows as Redis hashes: each member is JSON in a field of its own."""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import to_json
from redis.typing import EncodableT, FieldT

from projections.projection import Row, RowT


class UnreadableRow(Exception):
    """What is stored does not fit the row's type: it was written by another release."""


def encode(row: Row) -> dict[FieldT, EncodableT]:
    """The fields of the hash, by member."""
    return {name: to_json(value) for name, value in row.model_dump(mode="json").items()}


def decode(row_type: type[RowT], fields: Mapping[bytes, bytes]) -> RowT | None:
    """The row; None where there is no hash. Raises UnreadableRow."""
    if not fields:
        return None
    document = b",".join(b'"%b":%b' % field for field in fields.items())
    try:
        return row_type.model_validate_json(b"{%b}" % document)
    except ValidationError as error:
        raise UnreadableRow(f"a stored {row_type.__name__} does not fit: {error.errors()[0]['msg']}") from error


def unknown_fields(row_type: type[Row], fields: Mapping[bytes, bytes]) -> frozenset[bytes]:
    """Stored fields that the row has no member for; they are removed with the row's next change."""
    return frozenset(fields).difference(name.encode() for name in row_type.model_fields)
