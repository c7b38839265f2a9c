"""Passwords as they may be kept: salted, and expensive to guess."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass

# 16 MiB and a quarter of a second on one core; the equivalent of what OWASP's cheat sheet on storage recommends.
_COST, _BLOCK, _LANES = 2**14, 8, 5
_MOST_BYTES = 64 * 1024 * 1024
_SALT_BYTES, _DIGEST_BYTES = 16, 32


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """One password by scrypt (RFC 7914); its text is `scrypt$cost$block$lanes$salt$digest`."""

    cost: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str) -> "PasswordHash":
        """With a new salt."""
        salt = secrets.token_bytes(_SALT_BYTES)
        blank = cls(_COST, _BLOCK, _LANES, salt, bytes(_DIGEST_BYTES))
        return cls(_COST, _BLOCK, _LANES, salt, blank.digest_of(password))

    @classmethod
    def unmatchable(cls) -> "PasswordHash":
        """One that no password matches, and that takes as long to find out as any other."""
        return cls(_COST, _BLOCK, _LANES, secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_DIGEST_BYTES))

    @classmethod
    def parse(cls, text: str) -> "PasswordHash":
        """Raises ValueError for what is no such text, or would take more memory than a server can spare."""
        kind, cost, block, lanes, salt, digest = text.split("$")
        parsed = cls(
            int(cost), int(block), int(lanes), b64decode(salt, validate=True), b64decode(digest, validate=True)
        )
        is_affordable = 0 < parsed.lanes <= 64 and 128 * parsed.cost * parsed.block <= _MOST_BYTES // 2
        is_power = parsed.cost > 1 and parsed.cost & (parsed.cost - 1) == 0
        if kind != "scrypt" or not (is_affordable and is_power and parsed.block > 0 and parsed.salt and parsed.digest):
            raise ValueError("no usable scrypt hash")
        return parsed

    def __str__(self) -> str:
        salt, digest = (b64encode(part).decode() for part in (self.salt, self.digest))
        return f"scrypt${self.cost}${self.block}${self.lanes}${salt}${digest}"

    def digest_of(self, password: str) -> bytes:
        """Slow by intention; other threads can run meanwhile."""
        return hashlib.scrypt(
            password.encode(),
            salt=self.salt,
            n=self.cost,
            r=self.block,
            p=self.lanes,
            maxmem=_MOST_BYTES,
            dklen=len(self.digest),
        )

    def matches(self, password: str) -> bool:
        """As slow as `digest_of`."""
        return hmac.compare_digest(self.digest_of(password), self.digest)
