"""Filters as text: compressed, since that of a young segment is nearly empty."""

import zlib
from base64 import b64decode, b64encode
from typing import Final

from infrastructure.aggregates.bloom import BYTES, BloomFilter

_QUICKLY: Final = 1


def filter_text(members: BloomFilter) -> str:
    """A filter for a record of JSON."""
    return b64encode(zlib.compress(bytes(members), _QUICKLY)).decode()


def filter_in(text: str) -> BloomFilter:
    """The filter that was written so. Raises ValueError for any other text."""
    packed = zlib.decompressobj()
    try:
        bits = packed.decompress(b64decode(text, validate=True), BYTES)
    except zlib.error as error:
        raise ValueError(f"is no filter: {error}") from error
    if not packed.eof or packed.unconsumed_tail:
        raise ValueError("is no filter: it does not end where filters do")
    return BloomFilter(bits)
