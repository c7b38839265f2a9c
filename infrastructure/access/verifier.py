"""Finds out from a token who asks, without asking anybody else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from time import time
from typing import Final, Protocol

from infrastructure.access.caller import Caller
from infrastructure.access.claims import TokenRules, caller_in
from infrastructure.access.errors import KeysUnavailable, Unauthenticated, UnknownKey
from infrastructure.access.revocations import NOTHING_REVOKED, Revocations
from infrastructure.access.signed_token import SignedToken, read_token
from infrastructure.access.verification_keys import VerificationKeys, is_signed

_REMEMBERED: Final = 4096  # signatures


class KeySource(Protocol):
    """Where keys come from: a file, or an address."""

    @property
    def algorithms(self) -> frozenset[str]:
        """Those by which its keys may be used; whatever a token says, no others are."""

    @property
    def pause(self) -> float:
        """Seconds after a look until the next one is due."""

    def current(self) -> VerificationKeys:
        """The keys as they are known. Raises KeysUnavailable where there are none."""

    def missed(self) -> None:
        """A token named a key that is not there; it may be new."""

    async def refresh(self) -> None:
        """Brings the keys up to date once; what is away leaves them as they are."""

    async def follow(self) -> None:
        """Keeps the keys up to date; never ends."""


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """`clock` gives the seconds since 1970; `revocations` what is known to be revoked.

    A signature that was right is remembered, by the keys that verified it: it is what costs most. All else, time and
    revocations too, is judged each time.
    """

    source: KeySource
    rules: TokenRules = field(default_factory=TokenRules)
    revocations: Callable[[], Revocations] = lambda: NOTHING_REVOKED
    clock: Callable[[], float] = time
    _verified: dict[bytes, VerificationKeys] = field(default_factory=dict, init=False, repr=False, compare=False)

    def has_keys(self) -> bool:
        """Whether any token can be verified now."""
        try:
            self.source.current()
        except KeysUnavailable:
            return False
        return True

    def caller_of(self, token: str) -> Caller:
        """Whom this token names. It may be called in any thread and does no I/O. Raises Unauthenticated."""
        signed, keys = read_token(token), self.source.current()
        fingerprint = sha256(token.encode()).digest()
        if self._verified.get(fingerprint) is not keys:
            self._require_signature(signed, keys)
            self._remember(fingerprint, keys)
        caller = caller_in(signed.claims(), self.rules, self.clock())
        if self.revocations().cover(caller):
            raise Unauthenticated("the token was revoked")
        return caller

    def _remember(self, fingerprint: bytes, keys: VerificationKeys) -> None:
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[fingerprint] = keys

    def _require_signature(self, signed: SignedToken, keys: VerificationKeys) -> None:
        if signed.algorithm not in self.source.algorithms:
            raise Unauthenticated("the token is signed by an algorithm that is not accepted")
        try:
            key = keys.find(signed.key_id, signed.algorithm)
        except UnknownKey:
            self.source.missed()
            raise
        if not is_signed(signed.signed, signed.signature, key, signed.algorithm):
            raise Unauthenticated("the token's signature is wrong")
