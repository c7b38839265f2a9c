"""Bloom filters of ids, in memory and as text: small sets with few false positives and no false negatives."""

import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from uuid import UUID

CAPACITY: Final = 4096
_BITS: Final = 20 * CAPACITY
_HASHES: Final = 14  # 20 bits for each id times ln 2
_LOW: Final = 2**64 - 1
BYTES: Final = _BITS // 8
_FAST: Final = 1
_STORED: Final = 0


class BloomFilter:
    """A Bloom filter for up to CAPACITY ids; with so many, one id of 15,000 others is a false positive.

    After B. H. Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors" (1970); the hash functions are
    made from two, after A. Kirsch and M. Mitzenmacher, "Less Hashing, Same Performance" (2006).
    """

    def __init__(self, bits: bytes | None = None) -> None:
        """An empty one, or one from its `bits`. Raises ValueError where they are not BYTES long."""
        self._bits: Final = bytearray(BYTES) if bits is None else bytearray(bits)
        if len(self._bits) != BYTES:
            raise ValueError(f"a filter has {BYTES} bytes, not {len(self._bits)}")

    def add(self, member: UUID) -> None:
        """Adds an id."""
        for number in _hashes(member):
            place = number % _BITS
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, member: UUID) -> bool:
        for number in _hashes(member):
            place = number % _BITS
            if not self._bits[place >> 3] >> (place & 7) & 1:
                return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BloomFilter) and self._bits == other._bits

    __hash__ = None  # type: ignore[assignment] # it is mutable

    def __bytes__(self) -> bytes:
        return bytes(self._bits)


@lru_cache(maxsize=256)  # a command's id is looked for in each filter of its stream, and then added to one
def _hashes(member: UUID) -> range:
    """The numbers of a member's bits, modulo _BITS."""
    digest = int.from_bytes(blake2b(member.bytes, digest_size=16).digest())
    first, step = (digest >> 64) % _BITS, (digest & _LOW | 1) % _BITS
    return range(first, first + _HASHES * step, step)


def filter_text(growing: BloomFilter) -> str:
    """A filter as text, compressed, since that of a new segment is nearly empty."""
    return _text(bytes(growing), _FAST)


def filters_text(full: Iterable[BloomFilter]) -> str:
    """Filters as text, without compression, which gains nothing on full ones."""
    return _text(b"".join(map(bytes, full)), _STORED)


def filters_in(text: str, number: int = 1) -> tuple[BloomFilter, ...]:
    """So many filters from their text. Raises ValueError for any other text."""
    packed = zlib.decompressobj()  # it checks a checksum; strict base64 takes three times as long
    try:
        bits = packed.decompress(a2b_base64(text), number * BYTES)
    except zlib.error as error:
        raise ValueError(f"not the text of filters: {error}") from error
    if len(bits) != number * BYTES or not packed.eof or packed.unconsumed_tail:
        raise ValueError(f"not the text of {number} filters: it has another length")
    return tuple(BloomFilter(bits[first : first + BYTES]) for first in range(0, len(bits), BYTES))


def _text(bits: bytes, level: int) -> str:
    return b2a_base64(zlib.compress(bits, level), newline=False).decode()
