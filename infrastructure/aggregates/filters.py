"""Filters as text: compressed, since that of a young segment is nearly empty."""

import zlib
from base64 import b64decode, b64encode
from typing import Final

from infrastructure.aggregates.bloom import BYTES

_QUICKLY: Final = 1


def filter_text(bits: bytes) -> str:
    """A filter's bits for a record of JSON."""
    return b64encode(zlib.compress(bits, _QUICKLY)).decode()


def filter_in(text: str) -> bytes:
    """The bits of a filter that were written so. Raises ValueError for any other text."""
    packed = zlib.decompressobj()
    try:
        bits = packed.decompress(b64decode(text, validate=True), BYTES)
    except zlib.error as error:
        raise ValueError(f"is no filter: {error}") from error
    if len(bits) != BYTES or not packed.eof or packed.unconsumed_tail:
        raise ValueError("is no filter: it does not end where filters do")
    return bits
