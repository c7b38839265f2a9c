"""Encodes rows as Redis hashes: each member is JSON in a field of its own."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from itertools import compress
from json.encoder import encode_basestring
from operator import is_not
from typing import Any, Final, Generic, Literal, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from domain.value import members_of
from projections.projection import RowT


class UnreadableRow(Exception):
    """What is stored does not fit the row's type: it was written by another release."""


class RowCodec(Generic[RowT]):
    """Reads and writes rows of one type, member by member; what that takes is found out once (`codec_of`)."""

    def __init__(self, row: type[RowT]) -> None:
        self._name: Final = row.__name__
        self._read: Final = TypeAdapter(row).validator.validate_json
        annotations = get_type_hints(row, include_extras=True)
        kind: Any = row
        self._values: Final = members_of(kind)
        names = [field.name.encode() for field in fields(row)]
        self._members: Final = [(name, _writer(annotations[name.decode()])) for name in names]
        self._writers: Final = [written for _, written in self._members]
        self._form: Final[list[bytes | str]] = [part for name in names for part in (name, b"")]
        self._names: Final = frozenset(names)
        self._needed: Final = frozenset(field.name.encode() for field in fields(row) if not _has_default(field))

    def encode(self, row: RowT) -> list[bytes | str]:
        """All fields of the hash, each followed by its value."""
        parts = self._form[:]
        parts[1::2] = [written(member) for written, member in zip(self._writers, self._values(row), strict=True)]
        return parts

    def encode_changed(self, before: RowT, after: RowT) -> list[bytes | str]:
        """The fields of the members that are other objects than before."""
        values, parts = self._values(after), list[bytes | str]()
        differ = map(is_not, values, self._values(before))
        for (name, written), member in compress(zip(self._members, values, strict=True), differ):
            parts += (name, written(member))
        return parts

    def decode(self, stored: Mapping[bytes, bytes]) -> RowT | None:
        """The row; None where there is no hash. Raises UnreadableRow."""
        if not stored:
            return None
        document = b",".join(b'"%b":%b' % field for field in stored.items())
        try:
            row: RowT = self._read(b"{%b}" % document)
        except ValidationError as error:
            raise UnreadableRow(f"a stored {self._name} does not fit: {error.errors()[0]['msg']}") from error
        return row

    def is_incomplete(self, stored: Mapping[bytes, bytes]) -> bool:
        """Whether members are missing that the row can't be without: Redis has lost it, or it did when some changed."""
        return not stored.keys() >= self._needed

    def unknown_fields(self, stored: Mapping[bytes, bytes]) -> frozenset[bytes]:
        """Stored fields that the row has no member for; they are removed with the row's next change."""
        return frozenset(stored) - self._names


def codec_of(row: type[RowT]) -> RowCodec[RowT]:
    """The codec of this type of rows."""
    kind: Any = row
    codec: RowCodec[RowT] = _codec_of(kind)
    return codec


@cache
def _codec_of(row: Any) -> RowCodec[Any]:
    return RowCodec(row)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _writer(annotation: Any) -> Callable[[Any], bytes | str]:
    """What pydantic would write, without asking it about texts and numbers, which most members are."""
    if annotation is int:
        return str
    choices = get_args(annotation) if get_origin(annotation) is Literal else (None,)
    if annotation is str or all(isinstance(each, str) for each in choices):
        return encode_basestring
    return TypeAdapter(annotation).serializer.to_json
