"""Filters as text, with a sum by which damage is noticed."""

import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from typing import Final

from infrastructure.aggregates.bloom import BYTES, BloomFilter

_QUICKLY: Final = 1
_NOT_AT_ALL: Final = 0


def filter_text(growing: BloomFilter) -> str:
    """A filter for a record of JSON, compressed, since that of a young segment is nearly empty."""
    return _text(bytes(growing), _QUICKLY)


def filters_text(full: Iterable[BloomFilter]) -> str:
    """Filters for a record of JSON as they are: full ones can't be compressed."""
    return _text(b"".join(map(bytes, full)), _NOT_AT_ALL)


def filters_in(text: str, number: int = 1) -> tuple[BloomFilter, ...]:
    """So many filters that were written so. Raises ValueError for any other text."""
    packed = zlib.decompressobj()  # its sum is checked; base64 that is checked as well takes three times as long
    try:
        bits = packed.decompress(a2b_base64(text), number * BYTES)
    except zlib.error as error:
        raise ValueError(f"are no filters: {error}") from error
    if len(bits) != number * BYTES or not packed.eof or packed.unconsumed_tail:
        raise ValueError(f"are no {number} filters: they do not end where these do")
    return tuple(BloomFilter(bits[first : first + BYTES]) for first in range(0, len(bits), BYTES))


def _text(bits: bytes, level: int) -> str:
    return b2a_base64(zlib.compress(bits, level), newline=False).decode()
