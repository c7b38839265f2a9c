"""Filters as text: compressed, since that of a young segment is nearly empty."""

import zlib
from binascii import a2b_base64, b2a_base64
from typing import Final

from infrastructure.aggregates.bloom import BYTES

_QUICKLY: Final = 1


def filter_text(bits: bytes) -> str:
    """A filter's bits for a record of JSON."""
    return b2a_base64(zlib.compress(bits, _QUICKLY), newline=False).decode()


def filter_in(text: str) -> bytes:
    """The bits of a filter that were written so. Raises ValueError for any other text."""
    packed = zlib.decompressobj()  # its sum is checked; base64 that is checked as well takes three times as long
    try:
        bits = packed.decompress(a2b_base64(text), BYTES)
    except zlib.error as error:
        raise ValueError(f"is no filter: {error}") from error
    if len(bits) != BYTES or not packed.eof or packed.unconsumed_tail:
        raise ValueError("is no filter: it does not end where filters do")
    return bits
