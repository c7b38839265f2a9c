"""Remembers a set of ids in little memory: it never forgets one, and is rarely wrong about others."""

from hashlib import blake2b
from typing import Final
from uuid import UUID

CAPACITY: Final = 4096
_BITS: Final = 20 * CAPACITY
_HASHES: Final = 14  # 20 bits for each id times ln 2
BYTES: Final = _BITS // 8


class BloomFilter:
    """A Bloom filter for up to CAPACITY ids; then one of 15,000 others is taken for a member.

    After B. H. Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors" (1970); the hash functions are
    made from two, after A. Kirsch and M. Mitzenmacher, "Less Hashing, Same Performance" (2006).
    """

    def __init__(self, bits: bytes | None = None) -> None:
        """An empty one, or one from its `bits`. Raises ValueError where they are not BYTES long."""
        self._bits: Final = bytearray(BYTES) if bits is None else bytearray(bits)
        if len(self._bits) != BYTES:
            raise ValueError(f"a filter has {BYTES} bytes, not {len(self._bits)}")

    def add(self, member: UUID) -> None:
        """From now on it is contained."""
        for place in _places(member):
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, member: UUID) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in _places(member))

    def __bytes__(self) -> bytes:
        return bytes(self._bits)


def _places(member: UUID) -> list[int]:
    digest = blake2b(member.bytes, digest_size=16).digest()
    first, step = int.from_bytes(digest[:8]), int.from_bytes(digest[8:]) | 1
    return [(first + index * step) % _BITS for index in range(_HASHES)]
