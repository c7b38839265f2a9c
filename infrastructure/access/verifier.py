"""Finds out from a token who asks, without asking anybody else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import Protocol

from infrastructure.access.caller import Caller
from infrastructure.access.claims import TokenRules, caller_in
from infrastructure.access.errors import Unauthenticated, UnknownKey
from infrastructure.access.revocations import NOTHING_REVOKED, Revocations
from infrastructure.access.signed_token import SignedToken, read_token
from infrastructure.access.verification_keys import VerificationKeys, is_signed


class KeySource(Protocol):
    """Where keys come from: a file, or an address."""

    @property
    def algorithms(self) -> frozenset[str]:
        """Those by which its keys may be used; whatever a token says, no others are."""

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
    """`clock` gives the seconds since 1970; `revocations` what is known to be revoked."""

    source: KeySource
    rules: TokenRules = field(default_factory=TokenRules)
    revocations: Callable[[], Revocations] = lambda: NOTHING_REVOKED
    clock: Callable[[], float] = time

    def caller_of(self, token: str) -> Caller:
        """Whom this token names. It may be called in any thread and does no I/O. Raises Unauthenticated."""
        signed = read_token(token)
        self._require_signature(signed)
        caller = caller_in(signed.claims(), self.rules, self.clock())
        if self.revocations().cover(caller):
            raise Unauthenticated("the token was revoked")
        return caller

    def _require_signature(self, signed: SignedToken) -> None:
        keys = self.source.current()
        if signed.algorithm not in self.source.algorithms:
            raise Unauthenticated("the token is signed by an algorithm that is not accepted")
        try:
            key = keys.find(signed.key_id, signed.algorithm)
        except UnknownKey:
            self.source.missed()
            raise
        if not is_signed(signed.signed, signed.signature, key, signed.algorithm):
            raise Unauthenticated("the token's signature is wrong")
